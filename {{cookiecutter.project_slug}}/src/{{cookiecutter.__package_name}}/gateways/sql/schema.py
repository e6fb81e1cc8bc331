"""The tables, as the code sees them; the migrations bring a database there."""

from sqlalchemy import JSON, BigInteger, Column, DateTime, MetaData, String, Table

metadata = MetaData()

orders = Table(
    "orders",
    metadata,
    Column("id", String(30), primary_key=True),
    Column("customer_id", String(64), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("items", JSON, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("idempotency_key", String(128), nullable=True, unique=True),
    Column("fingerprint", String(64), nullable=False),
)
