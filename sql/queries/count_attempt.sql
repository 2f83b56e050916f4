-- The how many-th attempt is this since its window began?
-- Parameters: key, window_s (of a window that begins now).
-- Columns: attempt_count.
insert into attempts (key, attempt_count, ends_at)
values (:key, 1, now() + make_interval(secs => :window_s))
on conflict (key) do update set
    attempt_count = case when attempts.ends_at <= now() then 1 else attempts.attempt_count + 1 end,
    ends_at = case when attempts.ends_at <= now() then excluded.ends_at else attempts.ends_at end
returning attempt_count
