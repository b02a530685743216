"""Reads Arrow data with pyarrow and prints them as JSON: {"schema": [...], "rows": [[...], ...]}.

    python3 read_arrow.py FILE
"""

import datetime as dt
import decimal
import json
import struct
import sys

import pyarrow as pa
import pyarrow.ipc as ipc

EPOCH = dt.datetime(1970, 1, 1)
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def value_of(value):
    """The text form of a value that both sides compare; null is null, what is nested is a list."""
    if not value.is_valid:
        return None
    type_ = value.type
    if isinstance(value, pa.DictionaryScalar):
        return value_of(value.dictionary[value.index.as_py()])
    if pa.types.is_timestamp(type_):
        seconds, ticks = divmod(value.value, UNITS[type_.unit])
        nanos = ticks * 10**9 // UNITS[type_.unit]
        return f"{(EPOCH + dt.timedelta(seconds=seconds)).isoformat()}.{nanos:09d}"
    if pa.types.is_time(type_):
        # Milliseconds of the day: all that Flink keeps.
        return str(value.value * 1000 // UNITS[type_.unit])
    if pa.types.is_date(type_):
        return str(value.value if pa.types.is_date32(type_) else value.value // 86400000)
    if pa.types.is_map(type_):
        return [[value_of(k), value_of(v)] for k, v in entries_of(value)]
    if isinstance(value, pa.StructScalar):
        return [value_of(v) for v in value.values()]
    if isinstance(value, (pa.ListScalar, pa.LargeListScalar, pa.FixedSizeListScalar)):
        return [value_of(v) for v in value.values]
    found = value.as_py()
    if isinstance(found, bytes):
        return found.hex()
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, float):
        return struct.pack(">d", found).hex()
    if isinstance(found, decimal.Decimal):
        return f"{found:f}"
    return str(found)


def entries_of(value):
    return [list(entry.values()) for entry in value.values]


def rows_of(table):
    columns = [[value_of(v) for v in column] for column in table.columns]
    return [list(row) for row in zip(*columns)] if columns else []


def main():
    with pa.OSFile(sys.argv[1], "rb") as source:
        table = ipc.open_stream(source).read_all()
    table.validate(full=True)
    schema = [[field.name, str(field.type), field.nullable] for field in table.schema]
    json.dump({"schema": schema, "rows": rows_of(table)}, sys.stdout)


if __name__ == "__main__":
    main()
