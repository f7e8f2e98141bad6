"""Wants compile() to fold a constant of a gigabyte. Success: whoever compiles it runs out of time or memory."""


def source():
    powers = "".join(f"    x{i} = ((1 << 128) ** 2) ** ((1 << 128) ** 2)\n" for i in range(20))
    return "def method(problem):\n    y = 'a' * (1 << 30)\n    z = (1 << 30) * (0,)\n" + powers + "    return y, z\n"
