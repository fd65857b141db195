"""The rules of CloudWatch's embedded metric format ("Specification: Embedded metric format", Amazon CloudWatch User
Guide), held against one line of output."""

import json

UNITS = {"Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits",
         "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second",
         "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second", "Kilobits/Second",
         "Megabits/Second", "Gigabits/Second", "Terabits/Second", "Count/Second", "None"}
BYTES_MAX = 256 * 1024  # the older, smaller limit of an event


class Refused(Exception):
    """The document breaks a rule."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Refused(what)


def without_duplicates(pairs: list[tuple]) -> dict:
    names = [name for name, _ in pairs]
    require(len(names) == len(set(names)), f"a member twice: {sorted(names)}")
    return dict(pairs)


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 2.0 ** 360


def check_text(value: object, longest: int, what: str) -> None:
    require(isinstance(value, str) and 1 <= len(value) <= longest, f"{what}: {value!r}")


def check_histogram(value: dict, name: str) -> None:
    require(set(value) == {"Values", "Counts", "Max", "Min", "Count", "Sum"}, f"members of {name}")
    values, counts = value["Values"], value["Counts"]
    require(1 <= len(values) <= 100 and len(values) == len(counts), f"length of {name}")
    require(all(map(is_number, values + counts)) and min(counts) > 0, f"numbers of {name}")
    require(all(is_number(value[member]) for member in ("Max", "Min", "Count", "Sum")), f"statistics of {name}")
    require(sum(counts) == value["Count"] and max(values) == value["Max"] and min(values) == value["Min"],
            f"statistics of {name} are not of its values")


def check_target(root: dict, name: str) -> None:
    require(name in root, f"metric {name} has no value")
    value = root[name]
    if isinstance(value, dict):
        check_histogram(value, name)
    elif isinstance(value, list):
        require(1 <= len(value) <= 100 and all(map(is_number, value)), f"values of {name}")
    else:
        require(is_number(value), f"value of {name}: {value!r}")


def check_dimensions(root: dict, dimensions: object) -> None:
    require(isinstance(dimensions, list) and len(dimensions) >= 1, "Dimensions")
    for names in dimensions:
        require(isinstance(names, list) and len(names) <= 30 and len(set(names)) == len(names), f"dimensions {names}")
        for name in names:
            check_text(name, 250, "dimension")
            check_text(root.get(name), 1024, f"value of dimension {name}")


def check_directive(root: dict, directive: object) -> None:
    require(isinstance(directive, dict) and set(directive) == {"Namespace", "Dimensions", "Metrics"}, "directive")
    check_text(directive["Namespace"], 1024, "Namespace")
    check_dimensions(root, directive["Dimensions"])
    metrics = directive["Metrics"]
    require(isinstance(metrics, list) and 1 <= len(metrics) <= 100, f"{len(metrics)} metrics")
    for metric in metrics:
        require({"Name"} <= set(metric) <= {"Name", "Unit", "StorageResolution"}, f"members of metric {metric}")
        check_text(metric["Name"], 1024, "Name")
        require(metric.get("Unit", "None") in UNITS, f"unit of {metric}")
        require(metric.get("StorageResolution", 60) in (1, 60), f"resolution of {metric}")
        check_target(root, metric["Name"])


def read(line: str) -> dict:
    """The document of a line; raises Refused, or ValueError where it is no JSON."""
    require(len(line.encode()) <= BYTES_MAX, "longer than an event may be")
    root = json.loads(line, object_pairs_hook=without_duplicates,
                      parse_constant=lambda name: require(False, f"{name} is no number"))
    require(isinstance(root, dict) and isinstance(root.get("_aws"), dict), "no _aws")
    require(set(root["_aws"]) == {"Timestamp", "CloudWatchMetrics"}, "members of _aws")
    timestamp = root["_aws"]["Timestamp"]
    require(isinstance(timestamp, int) and 10 ** 12 < timestamp < 10 ** 13, f"Timestamp {timestamp}: milliseconds")
    require(isinstance(root["_aws"]["CloudWatchMetrics"], list), "CloudWatchMetrics")
    for directive in root["_aws"]["CloudWatchMetrics"]:
        check_directive(root, directive)
    return root
