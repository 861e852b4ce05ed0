"""Functions that many people write and that a benchmark may ask for. Texts for bench/contamination.py; nothing calls them."""

# ruff: noqa: RUF005, SIM110
import math
from collections import Counter


def is_prime(n):
    if n < 2:
        return False
    for i in range(2, n):
        if n % i == 0:
            return False
    return True


def is_prime_up_to_root(number):
    if number < 2:
        return False
    for divisor in range(2, int(number**0.5) + 1):
        if number % divisor == 0:
            return False
    return True


def is_prime_by_steps(n):
    if n <= 1:
        return False
    i = 2
    while i * i <= n:
        if n % i == 0:
            return False
        i += 1
    return True


def is_prime_any(n):
    return n > 1 and not any(n % k == 0 for k in range(2, math.isqrt(n) + 1))


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def gcd_recursive(a, b):
    if b == 0:
        return a
    return gcd_recursive(b, a % b)


def greatest_common_divisor(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


def lcm(a, b):
    return a * b // math.gcd(a, b)


def fib(n):
    if n == 0:
        return 0
    if n == 1:
        return 1
    return fib(n - 1) + fib(n - 2)


def fibonacci(n):
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


def fibonacci_loop(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def factorial(n):
    if n == 0:
        return 1
    return n * factorial(n - 1)


def factorial_loop(n):
    result = 1
    for i in range(2, n + 1):
        result *= i
    return result


def reverse_string(text):
    return text[::-1]


def reverse_words(sentence):
    return " ".join(reversed(sentence.split()))


def is_palindrome(text):
    return text == text[::-1]


def is_palindrome_loop(text):
    for i in range(len(text)):
        if text[i] != text[len(text) - 1 - i]:
            return False
    return True


def flatten(items):
    result = []
    for item in items:
        if isinstance(item, list):
            result.extend(flatten(item))
        else:
            result.append(item)
    return result


def flatten_once(lists):
    return [item for sublist in lists for item in sublist]


def unique(items):
    seen = set()
    result = []
    for item in items:
        if item not in seen:
            seen.add(item)
            result.append(item)
    return result


def chunks(items, size):
    for start in range(0, len(items), size):
        yield items[start : start + size]


def count_vowels(text):
    return sum(1 for letter in text if letter in "aeiou")


def count_words(text):
    counts = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    return counts


def most_common(items):
    return Counter(items).most_common(1)[0][0]


def largest(values):
    best = values[0]
    for value in values:
        if value > best:
            best = value
    return best


def mean(values):
    return sum(values) / len(values)


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def sum_of_digits(n):
    return sum(int(digit) for digit in str(n))


def is_anagram(one, two):
    return sorted(one) == sorted(two)


def binary_search(values, wanted):
    low, high = 0, len(values) - 1
    while low <= high:
        middle = (low + high) // 2
        if values[middle] == wanted:
            return middle
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return -1


def bubble_sort(values):
    for end in range(len(values), 0, -1):
        for i in range(end - 1):
            if values[i] > values[i + 1]:
                values[i], values[i + 1] = values[i + 1], values[i]
    return values


def quicksort(values):
    if len(values) <= 1:
        return values
    pivot, rest = values[0], values[1:]
    smaller = [value for value in rest if value < pivot]
    larger = [value for value in rest if value >= pivot]
    return quicksort(smaller) + [pivot] + quicksort(larger)


def celsius_to_fahrenheit(degrees):
    return degrees * 9 / 5 + 32


def is_leap_year(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def rotate(items, steps):
    return items[steps:] + items[:steps]


def dot(one, two):
    return sum(a * b for a, b in zip(one, two, strict=True))


def transpose(matrix):
    return [list(row) for row in zip(*matrix, strict=True)]


def camel_to_snake(name):
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")


def without_none(mapping):
    return {key: value for key, value in mapping.items() if value is not None}


def sieve(limit):
    marks = [True] * (limit + 1)
    primes = []
    for n in range(2, limit + 1):
        if marks[n]:
            primes.append(n)
            for multiple in range(n * n, limit + 1, n):
                marks[multiple] = False
    return primes
