-- Makes atomic: a checkpoint ends once, in a release or in an abort. ARGV 5: reason.
-- Gives how it stands then.
local c = load() or fresh(1)
if c.state == 'released' and c.cyclic == '1' then begin(c, c.generation + 1) end
if c.state == 'open' or c.state == 'unknown' then finish(c, 'aborted', ARGV[5], '') end
return record(c)
