-- Which pictures of a label look most like one, by the cosine of a network's features? Exact among the newest of the label, so that
-- it costs the same however many there are. By the network that saw the picture last; none where no network has.
-- Parameters: image_id, label_id, newest (so many are compared), limit.
-- Columns: those of gallery; the most alike first.
with asked as materialized (
    select embeddings.model, embeddings.features
    from embeddings
    where embeddings.image_id = :image_id
    order by embeddings.created_at desc, embeddings.model
    limit 1
),
newest as materialized (
    select shown_images.image_id
    from shown_images
    where shown_images.label_id = :label_id and exists (select from asked)
    order by shown_images.received_at desc, shown_images.image_id desc
    limit :newest
),
alike as materialized (
    select newest.image_id, compared.distance
    from asked
    cross join newest
    cross join lateral (
        select embeddings.features <=> asked.features as distance
        from embeddings
        where embeddings.image_id = newest.image_id and embeddings.model = asked.model
    ) as compared
    where newest.image_id <> :image_id
    order by compared.distance, newest.image_id
    limit :limit
)
select
    images.id as image_id,
    images.sha256,
    labels.id as label_id,
    labels.code as label_code,
    labels.name as label_name,
    images.picture_key,
    images.thumbnail_key,
    images.width_px,
    images.height_px
from alike
join images on images.id = alike.image_id
join labels on labels.id = :label_id
order by alike.distance, alike.image_id
