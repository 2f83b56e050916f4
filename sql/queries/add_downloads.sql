-- Write down photographs of a list that are to be fetched, unless they are known, or their label is not.
-- Parameters: source, and as arrays names, urls, label_codes, licences, attributions, sizes, md5s.
-- Columns: none.
insert into downloads (source, name, url, label_id, licence, attribution, size_bytes, md5)
select :source, listed.name, listed.url, labels.id, listed.licence, listed.attribution, listed.size_bytes, listed.md5
from unnest(
    cast(:names as text[]), cast(:urls as text[]), cast(:label_codes as text[]), cast(:licences as text[]),
    cast(:attributions as text[]), cast(:sizes as bigint[]), cast(:md5s as text[])
) as listed (name, url, label_code, licence, attribution, size_bytes, md5)
join labels on labels.code = listed.label_code
on conflict (source, name) do nothing
