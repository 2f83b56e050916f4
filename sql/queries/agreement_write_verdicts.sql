-- Write the network's verdicts into the ledger. Those that are there already stay.
-- Parameters: check_version, redecision_id (null: not asked again).
-- Columns: none. Reads the temporary table incoming_verdicts.
insert into verdicts (submission_id, check_name, check_version, score, threshold, outcome, detail, redecision_id)
select submission_id, 'label_agreement', :check_version, score, threshold, outcome, detail, cast(:redecision_id as bigint)
from incoming_verdicts
order by submission_id
on conflict on constraint uq_verdicts_judged_once do nothing
