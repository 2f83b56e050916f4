-- What did a model say of the pictures of its test split? Surest first; pictures that not everybody may see are left out.
-- Parameters: model_id; truth, said (class indices, null: any); only_wrong; after_image_id (the last one of the page before, null:
-- from the first on); limit.
-- Columns: those of gallery, under the current label; truth, said, score, truth_rank.
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
    model_answers.truth,
    model_answers.said,
    model_answers.score,
    model_answers.truth_rank
from model_answers
join images on images.id = model_answers.image_id
join image_labels on image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
join labels on labels.id = image_labels.label_id
where
    model_answers.model_id = :model_id
    and (cast(:truth as smallint) is null or model_answers.truth = :truth)
    and (cast(:said as smallint) is null or model_answers.said = :said)
    and (not :only_wrong or model_answers.said <> model_answers.truth)
    and (
        cast(:after_image_id as bigint) is null
        or (model_answers.score, model_answers.image_id) < (
            select reached.score, reached.image_id
            from model_answers as reached
            where reached.model_id = :model_id and reached.image_id = :after_image_id
        )
    )
order by model_answers.score desc, model_answers.image_id desc
limit :limit
