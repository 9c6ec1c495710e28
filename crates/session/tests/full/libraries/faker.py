from faker import Faker

Faker.seed(1)
fake = Faker("de_DE")
assert fake.name() != fake.name() and "@" in fake.email()
