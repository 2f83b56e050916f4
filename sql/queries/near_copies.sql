-- Pictures whose difference hash differs from a picture's in at most max_bits of 64 bits, the picture itself left out.
-- Two hashes that differ in at most 3 bits share at least one of their four bands of 16 bits; an index finds those.
-- Parameters: image_id, max_bits (0 to 3), limit.
-- Columns: those of gallery, and bits; nearest first.
select
    images.id as image_id,
    images.sha256,
    labels.id as label_id,
    labels.code as label_code,
    labels.name as label_name,
    images.picture_key,
    images.thumbnail_key,
    images.width_px,
    images.height_px,
    bit_count(cast(images.difference_hash # original.difference_hash as bit(64))) as bits
from images as original
join images on hash_bands(images.difference_hash) && hash_bands(original.difference_hash) and images.id <> original.id
join image_labels on image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
join labels on labels.id = image_labels.label_id
where
    original.id = :image_id
    and bit_count(cast(images.difference_hash # original.difference_hash as bit(64))) <= :max_bits
order by bits, images.id
limit :limit
