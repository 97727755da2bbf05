"""The catalogue by dlt: its REST source, ten workers, merged into SQLite.

python dlt_sync.py FOLDER URL [--whole-items]

It runs with the python of dlt's own environment; the token comes by TESTIO_TOKEN. The last line
says in JSON how long the pipeline ran and what was spent before it. With --whole-items lists
inside an item stay JSON in its row, instead of becoming tables of their own.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "EXTRACT__WORKERS": "10"}

import dlt
from dlt.sources.rest_api import rest_api_source


def source(url: str, token: str) -> Any:
    one_page = {"type": "single_page"}
    by_number = {"type": "page_number", "base_page": 1, "total_path": None, "page_param": "page"}
    header = {"type": "api_key", "name": "Authorization", "location": "header"}
    return rest_api_source(
        {
            "client": {"base_url": url, "auth": {**header, "api_key": f"Token {token}"}},
            "resource_defaults": {
                "primary_key": "id",
                "write_disposition": "merge",
                "parallelized": True,
            },
            "resources": [
                {
                    "name": "products",
                    "endpoint": {
                        "path": "products",
                        "data_selector": "products",
                        "paginator": one_page,
                    },
                },
                {
                    "name": "features",
                    "include_from_parent": ["id"],
                    "endpoint": {
                        "path": "products/{resources.products.id}/features",
                        "params": {"includes[]": "user_stories"},
                        "data_selector": "features",
                        "paginator": one_page,
                    },
                },
                {
                    "name": "exploratory_tests",
                    "include_from_parent": ["id"],
                    "endpoint": {
                        "path": "products/{resources.products.id}/exploratory_tests",
                        "params": {"per_page": 25},
                        "data_selector": "exploratory_tests",
                        "paginator": by_number,
                    },
                },
            ],
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("url")
    parser.add_argument("--whole-items", action="store_true")
    wanted = parser.parse_args()
    database = dlt.destinations.sqlalchemy(f"sqlite:///{wanted.folder / 'catalogue.db'}")
    pipeline = dlt.pipeline(
        "catalogue",
        pipelines_dir=str(wanted.folder / "pipelines"),
        destination=database,
        dataset_name="main",  # else SQLite gets a second file
    )
    catalogue = source(wanted.url, os.environ["TESTIO_TOKEN"])
    if wanted.whole_items:
        catalogue.max_table_nesting = 0
    before, started = time.process_time(), time.perf_counter()
    pipeline.run(catalogue).raise_on_failed_jobs()
    print(json.dumps({"seconds": time.perf_counter() - started, "cpu_before": before}))


if __name__ == "__main__":
    main()
