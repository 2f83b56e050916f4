-- Labels by a piece of their name, or by their whole code. Best first: the same name or code, then names that begin with the
-- piece, then names with a word that does, then all others; among equals those with more pictures.
-- Parameters: wanted (in lower case), limit.
-- Columns: those of a label.
select
    labels.id,
    labels.code,
    labels.name,
    label_counts.own_images,
    label_counts.subtree_images,
    exists (select from label_edges where label_edges.parent_id = labels.id) as has_children
from labels
join label_counts on label_counts.label_id = labels.id
where position(:wanted in lower(labels.name)) > 0 or lower(labels.code) = :wanted
order by
    case
        when :wanted in (lower(labels.name), lower(labels.code)) then 0
        when starts_with(lower(labels.name), :wanted) then 1
        when position(' ' || :wanted in lower(labels.name)) > 0 then 2
        else 3
    end,
    label_counts.subtree_images desc,
    lower(labels.name),
    labels.id
limit :limit
