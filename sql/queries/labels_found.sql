-- Labels by a piece of their name or of what else they are called, or by their whole code. Best first: the same words or code, then
-- words that begin with the piece, then those with a word that does, then all others; names before other words, and among equals
-- those with more pictures. There are thousands of labels at most: looking at all of them takes less than an index of pieces would.
-- Parameters: wanted (in lower case), limit.
-- Columns: those of a label, and alias: what else it is called, where that was found and not its name.
with words as (
    select id as label_id, lower(name) as word, null as alias
    from labels
    union all
    select label_id, lower(alias), alias
    from label_aliases
    union all
    select id, lower(code), null
    from labels
    where lower(code) = :wanted
),
found as (
    select distinct on (label_id)
        label_id,
        alias,
        case
            when word = :wanted then 0
            when starts_with(word, :wanted) then 1
            when position(' ' || :wanted in word) > 0 then 2
            else 3
        end as rank
    from words
    where position(:wanted in word) > 0
    order by label_id, rank, alias nulls first
)
select
    labels.id,
    labels.code,
    labels.name,
    label_counts.own_images,
    label_counts.subtree_images,
    exists (select from label_edges where label_edges.parent_id = labels.id) as has_children,
    found.alias
from found
join labels on labels.id = found.label_id
join label_counts on label_counts.label_id = labels.id
order by found.rank, found.alias is not null, label_counts.subtree_images desc, lower(labels.name), labels.id
limit :limit
