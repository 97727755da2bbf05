-- Makes atomic: who looks sees no lease that has ended, and what it left goes to the next.
-- KEYS: the four of the lease. ARGV: four of permits.lua.
-- Gives a view.
settle('')
return view('done', '')
