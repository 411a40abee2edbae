"""What was checked of an op, and how it prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symop.gradient_checks import GradientCheck
from symop.tallies import Accuracy, Errors


@dataclass(frozen=True, repr=False)
class Report:
    """What was checked of an op.

    True when its gradients hold, no finite value is lost, and none is wrong beyond rounding.
    Errors are in ULP, units in the last place of the dtype.

    name: the name of the op.
    checks: gradients of both orders and modes against finite differences, in float64.
    accuracies: errors against mpmath by dtype and quantity.
    notes: what could not be checked, and why.

    Example:
        >>> import symop
        >>> report = symop.compile("w*x + b").check()
        >>> bool(report), report.checks[0].example
        (True, 'w (5,), x (5,), b (5,)')
    """

    name: str
    checks: tuple[GradientCheck, ...]
    accuracies: tuple[Accuracy, ...]
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return all(self.checks) and not any(a.lost or a.is_wrong for a in self.accuracies)

    @property
    def is_accurate(self) -> bool:
        """Whether every error at ordinary points is within what is allowed.

        Allowed are 4 ULP, or 4 times the error that rounding the inputs causes.

        Example:
            >>> import symop
            >>> symop.compile("w*x + b").check().is_accurate
            True
        """
        return bool(self) and all(a.share <= 1 for a in self.accuracies)

    def __str__(self) -> str:
        return "\n".join(_report_lines(self)) + "\n"

    def __repr__(self) -> str:
        # What a session or a notebook shows of `op.check()`.
        return str(self).rstrip()


def _report_lines(report: Report) -> Iterator[str]:
    held = sum(map(bool, report.checks))
    verdict = "holds" if report else "DOES NOT HOLD"
    yield f"{report.name} {verdict}"
    yield ""
    if report.checks:
        yield f"gradient checks in float64 ({held} of {len(report.checks)} examples hold)"
        rows = [["example", "gradcheck", "gradgradcheck", "forward mode"]]
        for check in report.checks:
            marks = ["fails" if f else "ok" for f in (check.first, check.second, check.forward)]
            rows.append([check.example, *marks])
        yield from _rows(rows, "<<<<")
        for check in report.checks:
            for failure in dict.fromkeys((check.first, check.second, check.forward)):
                if failure:
                    yield f"    {check.example}: {failure}"
        yield ""
    if report.accuracies:
        yield from _accuracy_lines(report.accuracies)
    wrong = [a.quantity for a in report.accuracies if a.is_wrong]
    if wrong:
        yield f"wrong beyond rounding: {', '.join(wrong)}"
    for note in report.notes:
        yield f"note: {note}"


def _accuracy_lines(accuracies: Sequence[Accuracy]) -> Iterator[str]:
    numbers = sum(a.points + a.edges.points for a in accuracies)
    lost = sum(a.lost + a.edges.lost for a in accuracies)
    yield f"accuracy against mpmath in ULP ({numbers} numbers, {lost} not finite)"
    columns = ["dtype", "of", "points", "median", "99 %", "max", "of bound", "not finite"]
    has_edges = any(a.edges.points for a in accuracies)
    has_torch = any(a.torch for a in accuracies)
    columns += ["edges max", "not finite"] if has_edges else []
    columns += ["torch 99 %", "max", "not finite"] if has_torch else []
    rows = [columns]
    for a in accuracies:
        errors = [_figure(e) for e in (a.median, a.high, a.worst)]
        row = [a.dtype, a.quantity, str(a.points), *errors, _figure(a.share), str(a.lost)]
        row += _figures(a.edges if a.edges.points else None)[1:] if has_edges else []
        row += _figures(a.torch) if has_torch else []
        rows.append(row)
    yield from _rows(rows, "<<" + ">" * (len(columns) - 2))
    yield "    of bound: the largest error over what is allowed, 4 ULP or 4 times the error"
    yield "    that rounding the inputs causes; above 1 digits are lost"
    if has_edges:
        yield "    edges: an argument that is 0, subnormal, tiny, huge or infinite"
    for a in accuracies:
        if a.share > 1 or a.lost:
            error = "not finite" if a.lost else f"{_figure(a.worst)} ULP"
            yield f"    {a.dtype} {a.quantity}: {error} at {a.at}"
        if a.edges.lost:
            yield f"    {a.dtype} {a.quantity}: not finite at {a.edges.at}"


def _figures(errors: Errors | None) -> list[str]:
    if errors is None:
        return ["-", "-", "-"]
    return [_figure(errors.high), _figure(errors.worst), str(errors.lost)]


def _rows(rows: Sequence[Sequence[str]], sides: str) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, sides, widths, strict=True)
        yield ("    " + "  ".join(f"{text:{side}{width}}" for text, side, width in cells)).rstrip()


def _figure(value: float) -> str:
    return f"{value:.2f}" if value < 1000 else f"{value:.1e}"
