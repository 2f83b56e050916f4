-- Which photographs of a list are still to be fetched? Those that were tried least come first, so that what is never to be had keeps nobody
-- waiting. A page of them, after a given one, of those that nobody has tried since a given time.
-- Parameters: source, begun_at; limit; attempts, label_id, licence, credit, name: of the last one of the page before, or what comes before all.
-- Columns: those of the last five, and url, label_code, attribution, size_bytes, md5; of as many tries, those that make one batch beside
-- one another.
select
    downloads.attempts,
    downloads.label_id,
    downloads.licence,
    coalesce(left(downloads.attribution, 200), '') as credit,
    downloads.name,
    downloads.url,
    labels.code as label_code,
    downloads.attribution,
    downloads.size_bytes,
    downloads.md5
from downloads
join labels on labels.id = downloads.label_id
where
    downloads.source = :source
    and downloads.status = 'waiting'
    and (downloads.tried_at is null or downloads.tried_at < :begun_at)
    and (downloads.attempts, downloads.label_id, downloads.licence, coalesce(left(downloads.attribution, 200), ''), downloads.name)
    > (:attempts, :label_id, :licence, :credit, :name)
order by downloads.attempts, downloads.label_id, downloads.licence, credit, downloads.name
limit :limit
