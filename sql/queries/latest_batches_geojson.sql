-- The newest batches of a city, or of everywhere, as a GeoJSON FeatureCollection of points (RFC 7946: longitude first, WGS 84).
-- Batches whose supplier shared no place are left out. They go by number: keys can hold what suppliers called their folders.
-- Parameters: city (null: everywhere), limit.
-- Columns: geojson.
with latest as (
    select
        batches.id,
        labels.code as label_code,
        labels.name as label_name,
        batches.licence,
        batches.status,
        batches.submitted_count,
        batches.accepted_count,
        batches.submitted_at,
        places.country_code,
        places.region,
        places.city,
        places.postcode,
        places.latitude,
        places.longitude
    from batches
    join labels on labels.id = batches.label_id
    join places on places.id = batches.place_id
    where cast(:city as text) is null or lower(places.city) = lower(cast(:city as text))
    order by batches.submitted_at desc, batches.id desc
    limit :limit
)
select
    json_build_object(
        'type', 'FeatureCollection',
        'features', coalesce(
            json_agg(
                json_build_object(
                    'type', 'Feature',
                    'id', id,
                    'geometry', json_build_object('type', 'Point', 'coordinates', json_build_array(longitude, latitude)),
                    'properties', json_build_object(
                        'label_code', label_code,
                        'label_name', label_name,
                        'licence', licence,
                        'status', status,
                        'submitted', submitted_count,
                        'accepted', accepted_count,
                        'submitted_at', to_char(submitted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                        'country_code', country_code,
                        'region', region,
                        'city', city,
                        'postcode', postcode
                    )
                )
                order by submitted_at desc, id desc
            ),
            '[]'
        )
    ) as geojson
from latest
