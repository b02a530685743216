-- What do people do in a session, and how soon?
-- Each event that was not late, joined to its session: the one of the same user whose time it
-- lies in.
-- chart: bars of avg_after_start_seconds by event_type
SELECT e.event_type,
       count(*)                     AS events,
       count(DISTINCT s.session_id) AS sessions,
       count(CASE WHEN s.is_bounce THEN 1 END) AS events_in_bounced,
       round(avg(extract(EPOCH FROM (e.timestamp - s.session_start))), 1) AS avg_after_start_seconds
FROM app_events e
JOIN sessions s
  ON e.user_id = s.user_id AND e.timestamp BETWEEN s.session_start AND s.session_end
WHERE NOT e.late
GROUP BY e.event_type
ORDER BY events DESC, e.event_type
