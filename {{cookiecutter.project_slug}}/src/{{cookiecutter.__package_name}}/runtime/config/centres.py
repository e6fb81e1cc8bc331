"""What opens the configuration centre, by the scheme of its URL."""

from collections.abc import Mapping

# jinja: if cookiecutter.config_center == "consul"
from .sources.consul import open_consul
# jinja: elif cookiecutter.config_center == "etcd"
from .sources.etcd import open_etcd
# jinja: endif
from .sources.file import open_file
# jinja: if cookiecutter.config_center == "nacos"
from .sources.nacos import open_nacos
# jinja: endif
from .sources.types import OpenCentre

CENTRES: Mapping[str, OpenCentre] = {
    # jinja: if cookiecutter.config_center == "consul"
    "consul": open_consul,
    "consuls": open_consul,
    # jinja: elif cookiecutter.config_center == "etcd"
    "etcd": open_etcd,
    "etcds": open_etcd,
    # jinja: elif cookiecutter.config_center == "nacos"
    "nacos": open_nacos,
    "nacoss": open_nacos,
    # jinja: endif
    "file": open_file,
}
