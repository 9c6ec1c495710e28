import pydantic


class Item(pydantic.BaseModel):
    name: str
    price: float = pydantic.Field(gt=0)


assert Item.model_validate_json('{"name": "tea", "price": "2.5"}').price == 2.5
try:
    Item(name="tea", price=-1)
except pydantic.ValidationError as error:
    assert error.errors()[0]["type"] == "greater_than"
else:
    raise AssertionError("a negative price is taken")
