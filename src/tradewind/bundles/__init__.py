"""DAGs, requirements, plugins and start-up scripts from buckets to immutable local versions.

`Bucket` is the port: a folder of this machine (`Directories`) or an S3 endpoint (`s3.S3Buckets`, which is not
imported here: boto3 takes long to load, and most people use folders).
`Snapshots` turns a bucket's DAG folder into versions named by their content, of which `current` names one.
"""

from tradewind.bundles.archives import unpack
from tradewind.bundles.buckets import Bucket, Listing, Object, read
from tradewind.bundles.directories import Directories, DirectoryBucket
from tradewind.bundles.endpoints import S3Settings
from tradewind.bundles.keys import normalise
from tradewind.bundles.snapshots import Snapshot, Snapshots

__all__ = [
    "Bucket",
    "Directories",
    "DirectoryBucket",
    "Listing",
    "Object",
    "S3Settings",
    "Snapshot",
    "Snapshots",
    "normalise",
    "read",
    "unpack",
]
