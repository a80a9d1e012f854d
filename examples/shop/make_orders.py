#!/usr/bin/env python3
"""Writes orders.jsonl: orders for the shop, each with the answer it owes. Always the same ones."""
import json
import pathlib
import random

HERE = pathlib.Path(__file__).parent
COUNT = 3000
BIG_ORDER_CENTS = 15_000  # as in shop.h
CREDIT_CENTS = 100_000

OUT_OF_STOCK, UNKNOWN_SKU, BAD_QUANTITY, NOT_CONFIRMED = 1001, 1002, 1003, 1004


def make_order(rng, prices, in_stock):
    kind = rng.random()
    if kind < 0.05:
        sku, quantity, failure = rng.choice([("saffron", 1), ("cake", 4)]) + (OUT_OF_STOCK,)
    elif kind < 0.09:
        sku, quantity, failure = rng.choice(["unicorn", "tee", "TEA", ""]), 1, UNKNOWN_SKU
    elif kind < 0.12:
        sku, quantity, failure = rng.choice(in_stock), rng.choice([0, -1, -40]), BAD_QUANTITY
    elif kind < 0.14:
        sku = rng.choice(in_stock)
        quantity, failure = CREDIT_CENTS // prices[sku] + rng.randint(1, 9), NOT_CONFIRMED
    elif kind < 0.20:
        sku = rng.choice(in_stock)
        quantity, failure = BIG_ORDER_CENTS // prices[sku] + rng.randint(1, 9), 0
    else:
        sku = rng.choice(in_stock)
        quantity, failure = rng.randint(1, max(1, BIG_ORDER_CENTS // prices[sku] // 2)), 0
    total = prices[sku] * quantity if failure == 0 else 0
    return {"sku": sku, "quantity": quantity, "total_cents": total, "failure": failure}


def main():
    items = json.loads((HERE / "inventory.json").read_text())
    prices = {item["sku"]: item["price_cents"] for item in items}
    in_stock = [item["sku"] for item in items if item["stock"] > 1000]
    rng = random.Random(1773)
    orders = [make_order(rng, prices, in_stock) for _ in range(COUNT)]
    lines = [json.dumps(order, separators=(",", ":")) for order in orders]
    (HERE / "orders.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
