-- The newest batches, with their place: all, or those of a city (whatever the case of its name). A page of it, after a cursor.
-- Parameters: city (null: everywhere), supplier_id (null: of all), before_time and before_id (null: from the newest), limit.
-- Columns: those of a batch (id, key, status, label_code, label_name, supplier_id, supplier_name, licence, submitted_count,
-- accepted_count, rejected_count, review_count, submitted_at, closed_at) and of its place, null when none was shared (country_code,
-- region, city, postcode, latitude, longitude); newest first.
select
    batches.id,
    batches.key,
    batches.status,
    labels.code as label_code,
    labels.name as label_name,
    batches.supplier_id,
    users.display_name as supplier_name,
    batches.licence,
    batches.submitted_count,
    batches.accepted_count,
    batches.rejected_count,
    batches.review_count,
    batches.submitted_at,
    batches.closed_at,
    places.country_code,
    places.region,
    places.city,
    places.postcode,
    places.latitude,
    places.longitude
from batches
join labels on labels.id = batches.label_id
join users on users.id = batches.supplier_id
left join places on places.id = batches.place_id
where
    (
        cast(:city as text) is null
        or batches.place_id in (select id from places as of_city where lower(of_city.city) = lower(cast(:city as text)))
    )
    and (cast(:supplier_id as bigint) is null or batches.supplier_id = cast(:supplier_id as bigint))
    and (
        cast(:before_id as bigint) is null
        or (batches.submitted_at, batches.id) < (cast(:before_time as timestamptz), cast(:before_id as bigint))
    )
order by batches.submitted_at desc, batches.id desc
limit :limit
