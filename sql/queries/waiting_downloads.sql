-- Which photographs of a list are still to be fetched? Those that were tried least come first, so that what is never to be had keeps nobody
-- waiting.
-- Parameters: source.
-- Columns: name, url, label_code, licence, attribution, size_bytes, md5; of as many tries, those that make one batch beside one another.
select
    downloads.name,
    downloads.url,
    labels.code as label_code,
    downloads.licence,
    downloads.attribution,
    downloads.size_bytes,
    downloads.md5
from downloads
join labels on labels.id = downloads.label_id
where downloads.source = :source and downloads.status = 'waiting'
order by downloads.attempts, labels.code collate "C", downloads.licence, downloads.attribution collate "C", downloads.name collate "C"
