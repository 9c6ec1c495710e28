import tenacity

tries = []


@tenacity.retry(stop=tenacity.stop_after_attempt(3))
def flaky():
    tries.append(1)
    if len(tries) < 3:
        raise OSError
    return "done"


assert flaky() == "done" and len(tries) == 3
