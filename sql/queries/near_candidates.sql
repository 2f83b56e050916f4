-- Which pictures with a current label may be near-duplicates of these? Those one of whose hashes agrees with one of theirs in a band of
-- 20 bits but for at most one bit, and differs from it in at most max_bits in all. A picture's inner hash is compared with the other's
-- whole hash, since a copy may have been cropped, and never with its inner one, since two whole hashes say as much.
-- Every branch looks 21 or 42 bands up in an index that holds all that it needs.
-- Parameters: image_ids (array), max_bits, limit (candidates of one picture, the nearest by bits, then the oldest).
-- Columns: image_id (one of those asked for), other_id; by both.
select asked.image_id, near.other_id
from descriptors as asked
cross join lateral (
    select found.other_id, min(found.bits) as bits
    from (
        select other.image_id as other_id, bit_count(cast(other.whole_hash # frame.hash as bit(60))) as bits
        from (values (asked.whole_hash), (asked.inner_hash)) as frame (hash)
        cross join generate_series(0, 20) as flip
        join descriptors as other on hash_band(other.whole_hash, 0) = hash_band(frame.hash, 0) # ((1 << flip) >> 1)
        union all
        select other.image_id, bit_count(cast(other.whole_hash # frame.hash as bit(60)))
        from (values (asked.whole_hash), (asked.inner_hash)) as frame (hash)
        cross join generate_series(0, 20) as flip
        join descriptors as other on hash_band(other.whole_hash, 1) = hash_band(frame.hash, 1) # ((1 << flip) >> 1)
        union all
        select other.image_id, bit_count(cast(other.whole_hash # frame.hash as bit(60)))
        from (values (asked.whole_hash), (asked.inner_hash)) as frame (hash)
        cross join generate_series(0, 20) as flip
        join descriptors as other on hash_band(other.whole_hash, 2) = hash_band(frame.hash, 2) # ((1 << flip) >> 1)
        union all
        select other.image_id, bit_count(cast(other.inner_hash # asked.whole_hash as bit(60)))
        from generate_series(0, 20) as flip
        join descriptors as other on hash_band(other.inner_hash, 0) = hash_band(asked.whole_hash, 0) # ((1 << flip) >> 1)
        union all
        select other.image_id, bit_count(cast(other.inner_hash # asked.whole_hash as bit(60)))
        from generate_series(0, 20) as flip
        join descriptors as other on hash_band(other.inner_hash, 1) = hash_band(asked.whole_hash, 1) # ((1 << flip) >> 1)
        union all
        select other.image_id, bit_count(cast(other.inner_hash # asked.whole_hash as bit(60)))
        from generate_series(0, 20) as flip
        join descriptors as other on hash_band(other.inner_hash, 2) = hash_band(asked.whole_hash, 2) # ((1 << flip) >> 1)
    ) as found
    where
        found.bits <= :max_bits
        and found.other_id <> asked.image_id
        and exists (
            select from image_labels
            where image_labels.image_id = found.other_id and image_labels.is_current and image_labels.label_set = 'main'
        )
    group by found.other_id
    order by bits, found.other_id
    limit :limit
) as near
where asked.image_id = any(:image_ids)
order by asked.image_id, near.other_id
