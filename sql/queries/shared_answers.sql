-- On which pictures were two models both tested under the same label, and how many of them did each get right?
-- Parameters: model_a, model_b.
-- Columns: a row a batch; images, right_a, right_b, only_a (right by the first alone), only_b.
select
    count(*) as images,
    count(*) filter (where one.said = one.truth) as right_a,
    count(*) filter (where other.said = other.truth) as right_b,
    count(*) filter (where one.said = one.truth and other.said <> other.truth) as only_a,
    count(*) filter (where one.said <> one.truth and other.said = other.truth) as only_b
from model_answers as one
join model_answers as other on other.image_id = one.image_id and other.model_id = :model_b
join trained_models as first_model on first_model.id = :model_a
join trained_models as second_model on second_model.id = :model_b
join images on images.id = one.image_id
where
    one.model_id = :model_a
    and first_model.label_codes ->> one.truth = second_model.label_codes ->> other.truth
group by images.batch_id
order by images.batch_id
