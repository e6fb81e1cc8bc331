"""Settings in etcd, with real servers."""
