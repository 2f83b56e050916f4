-- Where the newest batches come from: of a city, or of everywhere. Batches whose supplier shared no place are left out.
-- Parameters: city (null: everywhere), limit (batches).
-- Columns: country_code, city, latitude and longitude (of its newest batch), batches, accepted (pictures of these that were let in).
with latest as (
    select
        batches.id,
        batches.submitted_at,
        batches.accepted_count,
        places.country_code,
        places.city,
        places.latitude,
        places.longitude
    from batches
    join places on places.id = batches.place_id
    where cast(:city as text) is null or lower(places.city) = lower(cast(:city as text))
    order by batches.submitted_at desc, batches.id desc
    limit :limit
)
select
    country_code,
    city,
    (array_agg(latitude order by submitted_at desc, id desc))[1] as latitude,
    (array_agg(longitude order by submitted_at desc, id desc))[1] as longitude,
    count(*) as batches,
    cast(sum(accepted_count) as bigint) as accepted
from latest
group by country_code, city
