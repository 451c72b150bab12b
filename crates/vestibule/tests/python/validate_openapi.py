"""Holds recorded exchanges against an OpenAPI 3.0 or 3.1 description.

    validate_openapi.py [--amounts-as-strings] DESCRIPTION.json < exchanges.json

The exchanges are a JSON array of `{"method", "path", "status", "body"}`: paths are relative to the
server of the description and may have a query, a body is JSON or null for none.

Prints a JSON object: `problems`, each with a `kind`, and `operations`, those of which at least one
response was declared and so held against its schema. Kinds are

    unknown operation    the description has no such path, or the path no such method
    undeclared status    the operation declares no response with this status
    undeclared body      there is a body, and the response declares none
    schema               the body is not what the response declares
"""

import argparse
import json
import sys

from openapi_schema_validator import (
    OAS30Validator,
    OAS31Validator,
    oas30_format_checker,
    oas31_format_checker,
)

# NextGenPSD2 has amounts as strings, and descriptions of banks that follow it may say `number`.
AMOUNT = {"type": "string", "pattern": r"^-?[0-9]{1,14}(\.[0-9]{1,3})?$"}


class Description:
    """A description with the means to find and check responses."""

    def __init__(self, document):
        self.document = document
        self.paths = [(segments(path), path) for path in document["paths"]]
        # The root of every reference; each check takes a part of it.
        if document["openapi"].startswith("3.1"):
            self.validator = OAS31Validator(document, format_checker=oas31_format_checker)
        else:
            self.validator = OAS30Validator(document, format_checker=oas30_format_checker)

    def operation(self, method, path):
        """Name and description of an operation, or None. Literal segments go before templates."""
        asked = segments(path)
        fitting = [(known, name) for known, name in self.paths if fits(known, asked)]
        if not fitting:
            return None
        name = max(fitting, key=lambda one: [not is_template(part) for part in one[0]])[1]
        operation = self.document["paths"][name].get(method.lower())
        return operation and (f"{method.upper()} {name}", operation)

    def response(self, operation, status):
        """The response that an operation declares for a status, or None."""
        responses = operation["responses"]
        names = [str(status), f"{status // 100}XX", "default"]
        found = next((responses[name] for name in names if name in responses), None)
        return found and self.resolve(found)

    def resolve(self, value):
        """Follows a reference within the document."""
        while "$ref" in value:
            parts = value["$ref"].removeprefix("#/").split("/")
            value = self.document
            for part in parts:
                value = value[part.replace("~1", "/").replace("~0", "~")]
        return value

    def mismatches(self, response, body):
        """What a response does not allow in a body: the members of a problem."""
        schema = response.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return [] if body is None else [{"kind": "undeclared body"}]
        return [
            {
                "kind": "schema",
                "at": "".join(f"/{part}" for part in error.path),
                "message": error.message,
            }
            for error in self.validator.evolve(schema=schema).iter_errors(body)
        ]


def segments(path):
    return path.split("?")[0].strip("/").split("/")


def is_template(segment):
    return segment.startswith("{")


def fits(known, asked):
    pairs = zip(known, asked)
    return len(known) == len(asked) and all(is_template(k) or k == a for k, a in pairs)


def amounts_as_strings(value):
    """The same part of a description with every property `amount` as a string."""
    if isinstance(value, list):
        return [amounts_as_strings(one) for one in value]
    if not isinstance(value, dict):
        return value
    changed = {name: amounts_as_strings(one) for name, one in value.items()}
    if "amount" in changed.get("properties", {}):
        changed["properties"]["amount"] = AMOUNT
    return changed


def check(description, exchange):
    """The operation that an exchange covers, or None, and its problems."""
    status = exchange["status"]
    problem = {"path": exchange["path"], "status": status}
    found = description.operation(exchange["method"], exchange["path"])
    if found is None:
        problem["operation"] = f"{exchange['method']} {exchange['path']}"
        return None, [{**problem, "kind": "unknown operation"}]
    name, operation = found
    problem["operation"] = name
    response = description.response(operation, status)
    if response is None:
        return None, [{**problem, "kind": "undeclared status"}]
    mismatches = description.mismatches(response, exchange["body"])
    return name, [{**problem, **mismatch} for mismatch in mismatches]


def main():
    parser = argparse.ArgumentParser(description="Holds exchanges against an OpenAPI description.")
    parser.add_argument("description", help="OpenAPI 3.0 or 3.1 in JSON")
    parser.add_argument(
        "--amounts-as-strings",
        action="store_true",
        help="properties named amount are strings, whatever the description says",
    )
    arguments = parser.parse_args()
    with open(arguments.description, encoding="utf-8") as file:
        document = json.load(file)
    if arguments.amounts_as_strings:
        document = amounts_as_strings(document)
    description = Description(document)
    operations, problems = set(), []
    for exchange in json.load(sys.stdin):
        operation, found = check(description, exchange)
        problems += found
        if operation:
            operations.add(operation)
    print(json.dumps({"problems": problems, "operations": sorted(operations)}))


main()
