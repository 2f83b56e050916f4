// Choosing a city by pointing at a map of those that the hub knows. What is chosen is its name in the field, as if it had been typed;
// without this file it is typed.
"use strict";

const pointing = document.querySelector("[data-point-at]");
if (pointing) {
  // As webapp/world_map.py draws the world: one unit is one degree, from the north of Greenland to Cape Horn.
  const NORTH = 80;
  const SCALES = [1, 4, 16];
  const NAMED_CITIES = 12;
  const NAME_PX = 12;
  // What a name takes, about, so that none is written over another.
  const ROOM_PX = { x: 90, y: 14 };
  const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

  const find = (name) => pointing.querySelector(`[data-${name}]`);
  const map = find("map");
  const says = find("says");
  const field = document.querySelector("[name=place]");
  const isNamed = document.querySelector("[name=where][value=named]");
  const { width: WIDTH, height: HEIGHT } = map.viewBox.baseVal;
  const drawn = (name, attributes, words = "") => {
    const made = document.createElementNS(map.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = words;
    return made;
  };
  let cities = [];
  let chosen = null;
  let centre = { x: WIDTH / 2, y: HEIGHT / 4 };
  let scale = 0;

  // Degrees of longitude are shorter towards the poles.
  const apart = (from, to) => [(to.x - from.x) * Math.cos(((NORTH - from.y) * Math.PI) / 180), to.y - from.y];
  const nearest = (from, among) => {
    const far = (city) => Math.hypot(...apart(from, city));
    return among.reduce((best, city) => (best && far(best) <= far(city) ? best : city), null);
  };
  const view = () => {
    const [width, height] = [WIDTH / SCALES[scale], HEIGHT / SCALES[scale]];
    const within = (middle, length, whole) => Math.min(Math.max(middle - length / 2, 0), whole - length);
    return { x: within(centre.x, width, WIDTH), y: within(centre.y, height, HEIGHT), width, height };
  };
  const draw = () => {
    const seen = view();
    const unit = seen.width / map.clientWidth;
    map.setAttribute("viewBox", `${seen.x} ${seen.y} ${seen.width} ${seen.height}`);
    const inSight = cities.filter((city) => city.x > seen.x && city.x < seen.x + seen.width && city.y > seen.y && city.y < seen.y + seen.height);
    const named = chosen ? [chosen] : [];
    for (const city of scale ? inSight : []) {
      const isFree = named.every((other) => Math.abs(other.x - city.x) > ROOM_PX.x * unit || Math.abs(other.y - city.y) > ROOM_PX.y * unit);
      if (isFree && named.length < NAMED_CITIES) named.push(city);
    }
    const written = named.map((city) => {
      const isRight = city.x > seen.x + seen.width / 2;
      const at = { x: city.x + (isRight ? -6 : 6) * unit, y: city.y + 4 * unit, "font-size": NAME_PX * unit };
      return drawn("text", { ...at, "text-anchor": isRight ? "end" : "start" }, city.name.split(",", 1)[0]);
    });
    const mark = chosen ? [drawn("circle", { cx: chosen.x, cy: chosen.y, r: 4 * unit })] : [];
    map.replaceChildren(drawn("path", { class: "cities", d: cities.map((city) => `M${city.x} ${city.y}h0`).join("") }), ...mark, ...written);
    // Disabled itself, a button would lose the keyboard to the top of the page.
    find("nearer").setAttribute("aria-disabled", scale === SCALES.length - 1);
    find("farther").setAttribute("aria-disabled", scale === 0);
  };
  const look = (step) => {
    scale = Math.min(Math.max(scale + step, 0), SCALES.length - 1);
    draw();
  };
  const choose = (city) => {
    chosen = centre = city;
    field.value = city.name;
    isNamed.checked = true;
    says.textContent = city.name;
    draw();
  };
  const begin = async () => {
    if (cities.length) return draw();
    const answer = await fetch(pointing.dataset.pointAt).catch(() => null);
    if (!answer?.ok) {
      says.textContent = "The map cannot be drawn now. Write the city instead.";
      return;
    }
    const { places } = await answer.json();
    cities = places.map((place) => ({ name: place.name, x: place.longitude + 180, y: NORTH - place.latitude })).filter((city) => city.y < HEIGHT);
    chosen = cities.find((city) => city.name === field.value) ?? null;
    centre = chosen ?? centre;
    draw();
    pointing.dataset.ready = "";
  };

  pointing.hidden = false;
  pointing.addEventListener("toggle", () => pointing.open && begin());
  find("nearer").addEventListener("click", () => look(1));
  find("farther").addEventListener("click", () => look(-1));
  map.addEventListener("click", (event) => {
    if (!cities.length) return;
    const box = map.getBoundingClientRect();
    const seen = view();
    const point = { x: seen.x + ((event.clientX - box.x) / box.width) * seen.width, y: seen.y + ((event.clientY - box.y) / box.height) * seen.height };
    // The first point shows where to point more exactly.
    scale = Math.min(scale + 1, SCALES.length - 1);
    choose(nearest(point, cities));
  });
  map.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !cities.length) return;
    if (event.key === "+" || event.key === "-") look(event.key === "+" ? 1 : -1);
    else if (event.key in DIRECTIONS) {
      const [right, down] = DIRECTIONS[event.key];
      const isThere = (city) => {
        const [x, y] = apart(centre, city);
        return x * right + y * down > Math.abs(x * down + y * right);
      };
      const next = nearest(centre, cities.filter(isThere));
      if (next) choose(next);
    } else return;
    event.preventDefault();
  });
}
