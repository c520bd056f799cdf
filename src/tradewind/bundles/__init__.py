"""DAGs and requirements from buckets to immutable local versions.

`Bucket` is the port: a folder of this machine (`Directories`) or an S3 endpoint (`S3Buckets`).
`Snapshots` turns a bucket's DAG folder into versions named by their content, of which `current` names one.
"""

from tradewind.bundles.buckets import Bucket, Listing, Object
from tradewind.bundles.directories import Directories, DirectoryBucket
from tradewind.bundles.keys import normalise
from tradewind.bundles.s3 import S3Bucket, S3Buckets, S3Settings
from tradewind.bundles.snapshots import Snapshot, Snapshots

__all__ = [
    "Bucket",
    "Directories",
    "DirectoryBucket",
    "Listing",
    "Object",
    "S3Bucket",
    "S3Buckets",
    "S3Settings",
    "Snapshot",
    "Snapshots",
    "normalise",
]
