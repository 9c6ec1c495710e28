import numba


@numba.njit
def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


assert collatz(27) == 111


@numba.njit(parallel=True)
def squares(n):
    total = 0
    for i in numba.prange(n):
        total += i * i
    return total


assert squares(1000) == 332833500
