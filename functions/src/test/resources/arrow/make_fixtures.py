"""Writes the Arrow data of this folder, with what they hold beside each as JSON.

They were made with pyarrow 25.0.1, which is the C++ implementation of Arrow:

    python3 make_fixtures.py [FOLDER]

and are read by ArrowFixturesTest. A .json holds one list per row, the values in the text form of
read_arrow.value_of(); an .arrows is a stream, an .arrow a file.
"""

import datetime as dt
import decimal
import json
import os
import sys

import pyarrow as pa
import pyarrow.ipc as ipc

sys.dont_write_bytecode = True
import read_arrow

FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
UTC = dt.timezone.utc
DAY = dt.date(2026, 2, 28)
TIME = dt.time(23, 59, 58, 987654)
STAMP = dt.datetime(1969, 12, 31, 23, 59, 59, 123456)
D = decimal.Decimal


def all_types():
    """Every type that is read; the second row has nulls only, the third other values."""
    tz = "Europe/Berlin"
    columns = [
        ("bool", pa.bool_(), True, False),
        ("int8", pa.int8(), -128, 127),
        ("int16", pa.int16(), -32768, 32767),
        ("int32", pa.int32(), -2147483648, 2147483647),
        ("int64", pa.int64(), -(2**63), 2**63 - 1),
        ("uint8", pa.uint8(), 0, 255),
        ("uint16", pa.uint16(), 0, 65535),
        ("uint32", pa.uint32(), 0, 2**32 - 1),
        ("uint64", pa.uint64(), 0, 2**64 - 1),
        ("half", pa.float16(), 1.5, -65504.0),
        ("float", pa.float32(), 0.5, -1.25e-5),
        ("double", pa.float64(), 0.1, -1.7976931348623157e308),
        ("decimal9", pa.decimal128(9, 2), D("-1234567.89"), D("0.01")),
        ("decimal38", pa.decimal128(38, 10), D("1234567890123456789012345678.0123456789"), D("-1E-10")),
        ("decimal32", pa.decimal32(7, 3), D("1234.567"), D("-0.001")),
        ("decimal64", pa.decimal64(16, 4), D("-123456789012.3456"), D("1")),
        ("decimal256", pa.decimal256(30, 5), D("-1234567890123456789012345.67891"), D("2")),
        ("text", pa.string(), "héllo, wörld \U0001f600", ""),
        ("large_text", pa.large_string(), "large", "ü"),
        ("binary", pa.binary(), b"\x00\xff\x80", b""),
        ("large_binary", pa.large_binary(), b"abc", b"\x01"),
        ("fixed", pa.binary(4), b"\xde\xad\xbe\xef", b"\x00\x00\x00\x00"),
        ("date32", pa.date32(), DAY, dt.date(1, 1, 1)),
        ("date64", pa.date64(), DAY, dt.date(1969, 12, 31)),
        ("time_s", pa.time32("s"), dt.time(23, 59, 58), dt.time(0)),
        ("time_ms", pa.time32("ms"), dt.time(1, 2, 3, 4000), dt.time(0)),
        ("time_us", pa.time64("us"), TIME, dt.time(0)),
        ("time_ns", pa.time64("ns"), TIME, dt.time(0)),
        ("ts_s", pa.timestamp("s"), STAMP.replace(microsecond=0), dt.datetime(2026, 1, 1)),
        ("ts_ms", pa.timestamp("ms"), STAMP.replace(microsecond=123000), dt.datetime(2026, 1, 1)),
        ("ts_us", pa.timestamp("us"), STAMP, dt.datetime(9999, 12, 31, 23, 59, 59, 999999)),
        ("ts_ns", pa.timestamp("ns"), -1, 1767225600123456789),
        ("tz_s", pa.timestamp("s", tz), 1767225600, -1),
        ("tz_ms", pa.timestamp("ms", tz), 1767225600123, -1),
        ("tz_us", pa.timestamp("us", "UTC"), 1767225600123456, -1),
        ("tz_ns", pa.timestamp("ns", "+02:00"), 1767225600123456789, -1),
        ("list", pa.list_(pa.int32()), [1, None, 3], []),
        ("large_list", pa.large_list(pa.string()), ["a", None], ["b"]),
        ("fixed_list", pa.list_(pa.int16(), 2), [7, 8], [None, 9]),
        ("list_of_list", pa.list_(pa.list_(pa.int64())), [[1], [], None, [2, 3]], [[4]]),
        (
            "struct",
            pa.struct([("a", pa.int32()), ("b", pa.struct([("c", pa.string())]))]),
            {"a": 1, "b": {"c": "deep"}},
            {"a": None, "b": None},
        ),
        (
            "list_of_struct",
            pa.list_(pa.struct([("x", pa.float64()), ("y", pa.list_(pa.string()))])),
            [{"x": 1.0, "y": ["p", "q"]}, None],
            [{"x": None, "y": []}],
        ),
        ("map", pa.map_(pa.string(), pa.int64()), [("k", 1), ("n", None)], []),
        ("map_of_list", pa.map_(pa.int32(), pa.list_(pa.bool_())), [(1, [True, None])], [(2, None)]),
        ("nothing", pa.null(), None, None),
    ]
    schema = pa.schema([(name, type_) for name, type_, _, _ in columns])
    arrays = [pa.array([one, None, two], type_) for _, type_, one, two in columns]
    return pa.Table.from_arrays(arrays, schema=schema)


def write(name, table, expect=None, chunk=None, file=False, batches=None, **options):
    opener = ipc.new_file if file else ipc.new_stream
    path = os.path.join(FOLDER, name + (".arrow" if file else ".arrows"))
    with pa.OSFile(path, "wb") as sink:
        with opener(sink, table.schema, options=ipc.IpcWriteOptions(**options)) as writer:
            for batch in batches or table.to_batches(max_chunksize=chunk):
                writer.write_batch(batch)
    if expect:
        return
    with open(os.path.join(FOLDER, name + ".json"), "w", encoding="utf-8") as out:
        out.write("[\n")
        out.write(",\n".join(json.dumps(row, ensure_ascii=True) for row in read_arrow.rows_of(table)))
        out.write("\n]\n")


def dictionaries():
    """Words by index, one of them null, also inside of lists and structs, and with wider indices."""
    words = pa.array(["red", "green", None, "blue"])
    colours = pa.DictionaryArray.from_arrays(pa.array([3, None, 0, 2, 1], pa.int8()), words)
    wide = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 1, None, 0], pa.uint16()), pa.array([10**12, -1], pa.int64())
    )
    times = pa.array([1, 1, 2, None, 1], pa.timestamp("us")).dictionary_encode()
    inner = pa.array(["x", "y", "x", None, "z", "x"]).dictionary_encode()
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 2, None, 3, 6], pa.int32()), inner)
    structs = pa.StructArray.from_arrays([colours, pa.array(range(5))], names=["colour", "n"])
    return pa.table(
        {"colour": colours, "number": wide, "time": times, "tags": lists, "nested": structs}
    )


def changing_dictionary(delta):
    """Three batches, each with a dictionary of its own, or one that grows."""
    type_ = pa.dictionary(pa.int32(), pa.string())
    words = [["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]] if delta else [["a"], ["b", "a"], ["c"]]
    indices = [[0, 1], [2, 0], [3, None, 1]] if delta else [[0, 0], [0, 1], [0, None]]
    return [
        pa.record_batch(
            [pa.DictionaryArray.from_arrays(pa.array(i, pa.int32()), pa.array(w))],
            schema=pa.schema([("word", type_)]),
        )
        for i, w in zip(indices, words)
    ]


def events(rows):
    """As an application sends them; long enough for several blocks of lz4 in a buffer."""
    return pa.table(
        {
            "event_id": pa.array([f"e-{i * 7919 % rows:06d}" for i in range(rows)]),
            "user_id": pa.array([f"user-{i % 97}" for i in range(rows)]),
            "screen": pa.array([["home", "cart", None][i % 3] for i in range(rows)]).dictionary_encode(),
            "timestamp": pa.array(
                [1767225600000 + 1000 * i for i in range(rows)], pa.timestamp("ms", "UTC")
            ),
            "amount": pa.array([None if i % 5 == 0 else i / 4 for i in range(rows)]),
            "payload": pa.array([f"{i % 13}" * 40 for i in range(rows)]),
        }
    )


def main():
    table = all_types()
    write("all_types", table)
    write("all_types_batches", pa.concat_tables([table, table.slice(2), table]), chunk=2)
    for compression in "lz4", "zstd":
        write("all_types_" + compression, table, expect="all_types", compression=compression)
    write("all_types_file", table, expect="all_types", file=True)
    write("all_types_legacy", table, expect="all_types", use_legacy_format=True)
    # A slice: offsets that do not begin at 0 in memory, and bitmaps that begin within a byte.
    write("all_types_slice", pa.concat_tables([table] * 4).combine_chunks().slice(5, 6))
    write("dictionaries", dictionaries())
    write("dictionaries_zstd", dictionaries(), expect="dictionaries", chunk=2, compression="zstd")
    write("dictionaries_file", dictionaries(), expect="dictionaries", chunk=3, file=True)
    for name, delta in ("dictionary_replaced", False), ("dictionary_grows", True):
        batches = changing_dictionary(delta)
        table_of = pa.Table.from_batches(batches)
        write(name, table_of, batches=batches, emit_dictionary_deltas=delta)
    write("events_lz4", events(1600), chunk=1500, compression="lz4")
    write("events_zstd", events(1600), expect="events_lz4", chunk=600, compression="zstd")
    write("no_rows", table.slice(0, 0))
    write("no_columns", pa.table({}))


main()
