"""The summary at the end of a k6 run, as old and new releases of k6 lay it out."""

_RULE = "p(95)<900"
_BLOCKED = "avg=212.4µs min=90.1µs   med=180.5µs max=1.2ms    p(90)=402.7µs  p(95)=588.1µs "


def summary(index: int, *, crossed: bool) -> str:
    """Lay a summary out as k6 2.x does; every runner has numbers of its own."""
    of = _Numbers(index, crossed=crossed)
    return _judgement(of) + _metrics(of)


def _judgement(of: "_Numbers") -> str:
    return f"""

  █ THRESHOLDS\x20

    checkout_time
    {of.mark} '{_RULE}' p(95)={of.high}ms

    checks
    ✓ 'rate>0.95' rate=100.00%


  █ TOTAL RESULTS\x20

    checks_total.......: {of.checks:<7} {of.checks / 30:.6f}/s
    checks_succeeded...: 100.00% {of.checks} out of {of.checks}
    checks_failed......: 0.00%   0 out of {of.checks}

    ✓ basket is full
    ✓ order has a number ✓
"""


def _metrics(of: "_Numbers") -> str:
    return f"""
    CUSTOM
    checkout_time..................: {of.trend()}
    orders.........................: {of.count:<6} {of.rate}/s

    HTTP
    http_req_duration..............: {of.trend()}
      {{ expected_response:true }}...: {of.trend()}
    http_req_failed................: 0.00%  0 out of {of.count}
    http_reqs......................: {of.count:<6} {of.rate}/s

    EXECUTION
    iteration_duration.............: {of.trend()}
    iterations.....................: {of.count:<6} {of.rate}/s
    vus............................: 2      min=2       max=2
    vus_max........................: 2      min=2       max=2

    NETWORK
    data_received..................: 41 kB  1.4 kB/s
    data_sent......................: 12 kB  402 B/s


"""


def old_summary(index: int, *, crossed: bool) -> str:
    """Lay it out as k6 0.49 does."""
    of = _Numbers(index, crossed=crossed)
    return f"""
     ✓ basket is full
     ✓ order has a number ✓

   ✓ checks.........................: 100.00% ✓ {of.checks:<7} ✗ 0\x20\x20
   {of.mark} checkout_time..................: {of.trend()}
     data_received..................: 41 kB  1.4 kB/s
     data_sent......................: 12 kB  402 B/s
     http_req_blocked...............: {_BLOCKED}
     http_req_duration..............: {of.trend()}
       {{ expected_response:true }}...: {of.trend()}
     http_req_failed................: 0.00%   ✓ 0        ✗ {of.count}
     http_reqs......................: {of.count:<7} {of.rate}/s
     iteration_duration.............: {of.trend()}
     iterations.....................: {of.count:<7} {of.rate}/s
     orders.........................: {of.count:<7} {of.rate}/s
     vus............................: 2       min=2      max=2
     vus_max........................: 2       min=2      max=2
"""


class _Numbers:
    """What a runner measured: slow enough for its threshold where that has to be crossed."""

    def __init__(self, index: int, *, crossed: bool) -> None:
        self.mark = "✗" if crossed else "✓"
        self.high = f"{(1200 if crossed else 300) + index * 7}.25"
        self.count = 120 + 3 * index
        self.checks = 2 * self.count
        self.rate = f"{self.count / 30:.6f}"
        self._index = index

    def trend(self) -> str:
        low = 40 + self._index
        return (
            f"avg={low + 80}.5ms min={low}.11ms med={low + 70}ms max=1.61s "
            f"p(90)={low + 190}.4ms p(95)={self.high}ms"
        )
