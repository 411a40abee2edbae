"""Functions of Triton that kernels call: definitions of which a module carries those that it needs.

Each serves float32 and float64. Constants stand beside a tensor, which gives them its type: alone
they would be float32. No definition relies on products and sums being fused, or on their not
being; where one rounding is needed, `tl.fma` says so.
"""

import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def _divide(a, b):
    """a/b to the last digit for a divisor between 1e-30 and 1e30, without branches.

    The quotient of float32 is off by 2 ULP, the one rounded once calls a subroutine.
    """
    inverse = 1 / b
    quotient = a * inverse
    better = tl.fma(tl.fma(-quotient, b, a), inverse, quotient)
    # The sign of a zero and an infinity would be lost.
    size = tl.abs(quotient)
    return tl.where((size > 0) & (size < float("inf")), better, quotient)


@triton.jit
def _divide_roughly(a, b):
    """a/b, off by 2 ULP of float32, which no number of 16 bits shows."""
    return a / b


@triton.jit
def _quotient(a, b):
    """a/b, rounded once."""
    quotient = a / b
    return quotient if quotient.dtype == tl.float64 else tl.div_rn(a, b)


@triton.jit
def _root(x):
    """The square root, rounded once."""
    return tl.sqrt(x) if x.dtype == tl.float64 else tl.sqrt_rn(x)


@triton.jit
def _is_number(x):
    """Whether it is not NaN, which is not below anything."""
    return x <= float("inf")


@triton.jit
def _rsqrt(x):
    return _divide(tl.full((), 1.0, x.dtype), _root(x))


@triton.jit
def _sign(x):
    return (x > 0).to(x.dtype) - (x < 0).to(x.dtype)


@triton.jit
def _relu(x):
    return tl.where(x <= 0, 0.0, x)


@triton.jit
def _remainder(a, b):
    """What is left of a division that rounds down, so of the sign of b."""
    r = libdevice.fmod(a, b)
    return tl.where((r != 0) & ((b < 0) != (r < 0)), r + b, r)


@triton.jit
def _sigmoid(x):
    e = libdevice.exp(-tl.abs(x))
    return _divide(tl.where(x < 0, e, 1.0), 1 + e)


@triton.jit
def _silu(x):
    """x*sigmoid(x); far out in two steps, for exp(x) alone would lose digits."""
    a = tl.abs(x)
    is_far = a > 40
    b = tl.where(a > 2000, 2000.0, a)
    h = libdevice.exp(-tl.where(is_far, 0.5 * b, b))
    e = tl.where(is_far, h * h, h)
    low = tl.where(is_far, -b * h * h, -b * h)
    return _divide(tl.where(x < 0, low, x), 1 + e)


@triton.jit
def _softplus1(x):
    return tl.where(x < 0, 0.0, x) + libdevice.log1p(libdevice.exp(-tl.abs(x)))


@triton.jit
def _logsigmoid(x):
    return tl.where(x > 0, 0.0, x) - libdevice.log1p(libdevice.exp(-tl.abs(x)))


@triton.jit
def _logit(x):
    """log(x/(1 - x)); where the quotient is near 1, of what is more than 1."""
    rest = 1 - x
    near = libdevice.log1p(_divide(2 * x - 1, rest))
    far = libdevice.log(_divide(x, rest))
    return tl.where((x > 0.3) & (x < 0.7), near, far)


@triton.jit
def _gaussian(x):
    """exp(-x**2), with what the square lost."""
    a = tl.abs(x)
    a = tl.where(a > 30, 30.0, a)
    square = a * a
    e = libdevice.exp(-square)
    return e - e * tl.fma(a, a, -square)


@triton.jit
def _gaussian_half(x):
    """exp(-x**2/2), with what the square lost."""
    a = tl.abs(x)
    a = tl.where(a > 40, 40.0, a)
    b = 0.5 * a
    half = a * b
    e = libdevice.exp(-half)
    return e - e * tl.fma(a, b, -half)


@triton.jit
def _normal_density(x):
    return 0.3989422804014327 * _gaussian_half(x)


@triton.jit
def _ndtr(x):
    """erfc(-x/sqrt(2))/2, with what the product lost and what sqrt(1/2) is off."""
    t = tl.where(x < -40, -40.0, x)
    if x.dtype == tl.float64:
        factor = tl.full((), -0.7071067811865476, tl.float64)
        rest = 4.833646656726457e-17 * t
    else:
        factor = tl.full((), -0.7071067690849304, tl.float32)
        rest = -1.2101617104478969e-08 * t
    u = t * factor
    low = tl.fma(t, factor, -u) + rest
    y = 0.5 * libdevice.erfc(u)
    return tl.where(t < 0, y - 2 * u * low * y, y)


@triton.jit
def _lorentz(x):
    """x/(1 + x**2); far out the 1 is left out, before the square overflows."""
    is_far = tl.abs(x) > 1e9
    return _divide(tl.where(is_far, 1.0, x), tl.where(is_far, x, x * x + 1))


@triton.jit
def _lorentz2(x):
    """x**2/(1 + x**2)."""
    a = tl.abs(x)
    a = tl.where(a > 1e9, 1e9, a)
    return _divide(a * a, a * a + 1)


@triton.jit
def _step(p, x, c):
    """p*x + c, rounded once."""
    return tl.fma(p, x, tl.full((), c, x.dtype))


@triton.jit
def _fit_i0(x):
    z = x * x
    p = tl.full((), 8.16152812480136e-37, x.dtype)
    p = _step(p, z, 4.997118456061881e-31)
    p = _step(p, z, 2.5983664192423613e-25)
    p = _step(p, z, 7.242267381222983e-20)
    p = _step(p, z, 9.385967031034986e-15)
    p = _step(p, z, 4.709502797117406e-10)
    p = _step(p, z, 6.7816840277779e-06)
    p = _step(p, z, 0.015625)
    q = tl.full((), 4.761620047785789e-34, x.dtype)
    q = _step(q, z, 3.834136077706056e-28)
    q = _step(q, z, 1.4963082307865534e-22)
    q = _step(q, z, 2.896903169438988e-17)
    q = _step(q, z, 2.40280754898859e-12)
    q = _step(q, z, 6.781684027774693e-08)
    q = _step(q, z, 0.0004340277777777775)
    p = tl.fma(q, x, p)
    p = _step(p, x, 0.25)
    return _step(p, x, 1.0)


@triton.jit
def _fit_i0_far(x):
    z = x * x
    p = tl.full((), -4.1818118354608834e-07, x.dtype)
    p = _step(p, z, 2.788974464167651e-06)
    p = _step(p, z, -8.517339332177457e-06)
    p = _step(p, z, 1.522479809312722e-05)
    p = _step(p, z, -1.2668298360734273e-05)
    p = _step(p, z, -2.123549861141603e-05)
    p = _step(p, z, 6.446518192521589e-05)
    p = _step(p, z, 0.00026444932454814117)
    p = _step(p, z, 0.004423288979342573)
    p = _step(p, z, 0.4060543948806035)
    q = tl.full((), -2.839416342540164e-07, x.dtype)
    q = _step(q, z, 2.0917463171871477e-06)
    q = _step(q, z, -7.882607343009238e-06)
    q = _step(q, z, 2.0783216720230897e-05)
    q = _step(q, z, -3.9218328264348155e-05)
    q = _step(q, z, 2.231241080122343e-05)
    q = _step(q, z, 0.00011726332661233713)
    q = _step(q, z, 0.0008864140731198558)
    q = _step(q, z, 0.03321691571150742)
    p = tl.fma(q, x, p)
    p = _step(p, x, 10.017664276582028)
    return _step(p, x, 1198.87127803066)


@triton.jit
def _fit_i1(x):
    z = x * x
    p = tl.full((), 2.3633964507932956e-38, x.dtype)
    p = _step(p, z, 1.66185308028084e-32)
    p = _step(p, z, 9.993289740263769e-27)
    p = _step(p, z, 3.291938606573052e-21)
    p = _step(p, z, 5.214426120294942e-16)
    p = _step(p, z, 3.363930569353865e-11)
    p = _step(p, z, 6.781684027777833e-07)
    p = _step(p, z, 0.0026041666666666665)
    q = tl.full((), 1.505795327162954e-35, x.dtype)
    q = _step(q, z, 1.3698320835975032e-29)
    q = _step(q, z, 6.23464332067481e-24)
    q = _step(q, z, 1.4484516197857542e-18)
    q = _step(q, z, 1.5017547182515738e-13)
    q = _step(q, z, 5.651403356480177e-09)
    q = _step(q, z, 5.4253472222222206e-05)
    p = tl.fma(q, x, p)
    p = _step(p, x, 0.0625)
    return _step(p, x, 0.5)


@triton.jit
def _fit_i1_far(x):
    z = x * x
    p = tl.full((), 4.3087549580491473e-07, x.dtype)
    p = _step(p, z, -2.889341597325578e-06)
    p = _step(p, z, 8.900572302890018e-06)
    p = _step(p, z, -1.6160937355784047e-05)
    p = _step(p, z, 1.4098741335794055e-05)
    p = _step(p, z, 2.1311542003232744e-05)
    p = _step(p, z, -6.994013481560716e-05)
    p = _step(p, z, -0.000298100541838158)
    p = _step(p, z, -0.0054697922924760245)
    p = _step(p, z, -0.6535326011841022)
    q = tl.full((), 3.064403332808229e-07, x.dtype)
    q = _step(q, z, -2.200362176067478e-06)
    q = _step(q, z, 8.162800765900582e-06)
    q = _step(q, z, -2.153294480360864e-05)
    q = _step(q, z, 4.136657254363757e-05)
    q = _step(q, z, -2.5019222852005132e-05)
    q = _step(q, z, -0.00012857830911198749)
    q = _step(q, z, -0.0010385222016659583)
    q = _step(q, z, -0.04482927739423494)
    p = tl.fma(q, x, p)
    p = _step(p, x, -29.063080004456033)
    return _step(p, x, 1160.780446574915)


@triton.jit
def _fit_k0(x):
    z = x * x
    p = tl.full((), 2.001826339672362e-14, x.dtype)
    p = _step(p, z, 8.819865874299117e-10)
    p = _step(p, z, 1.0214014130954513e-05)
    p = _step(p, z, 0.014418505235912139)
    q = tl.full((), 7.116623812392744e-17, x.dtype)
    q = _step(q, z, 4.843666994385003e-12)
    q = _step(q, z, 1.157035132094704e-07)
    q = _step(q, z, 0.0005451899602606002)
    p = tl.fma(q, x, p)
    p = _step(p, x, 0.10569608377461699)
    return _step(p, x, -0.5772156649015329)


@triton.jit
def _fit_k0_far(x):
    z = x * x
    p = tl.full((), -4.885549757392986e-11, x.dtype)
    p = _step(p, z, 4.126020791145792e-10)
    p = _step(p, z, -1.1361811483118063e-09)
    p = _step(p, z, 2.1002302363258504e-09)
    p = _step(p, z, -1.2269892088096767e-09)
    p = _step(p, z, 4.642509395566788e-09)
    p = _step(p, z, 1.6683260065999565e-08)
    p = _step(p, z, 1.0305908472552179e-07)
    p = _step(p, z, 7.427610132353019e-07)
    p = _step(p, z, 7.002247703479279e-06)
    p = _step(p, z, 9.956054730574977e-05)
    p = _step(p, z, 0.00303289181027782)
    q = tl.full((), -5.411668571954111e-11, x.dtype)
    q = _step(q, z, 1.3862661466095346e-10)
    q = _step(q, z, -3.5613844867424557e-10)
    q = _step(q, z, -9.00500252985006e-11)
    q = _step(q, z, -1.7025832212266694e-09)
    q = _step(q, z, -7.4121654506588116e-09)
    q = _step(q, z, -4.1294087117315265e-08)
    q = _step(q, z, -2.6891695610152783e-07)
    q = _step(q, z, -2.191176355688171e-06)
    q = _step(q, z, -2.473520467066205e-05)
    q = _step(q, z, -0.00047976905676243786)
    p = tl.fma(q, x, p)
    p = _step(p, x, -0.031071461824889558)
    return _step(p, x, 1.2185953385133905)


@triton.jit
def _fit_k1(x):
    z = x * x
    p = tl.full((), -3.115060939158338e-13, x.dtype)
    p = _step(p, z, -1.0112901754474278e-08)
    p = _step(p, z, -7.493042904603224e-05)
    p = _step(p, z, -0.04204902094365182)
    q = tl.full((), -1.2133001503531537e-15, x.dtype)
    q = _step(q, z, -6.540468681312342e-11)
    q = _step(q, z, -1.0892182671178822e-06)
    q = _step(q, z, -0.0028371119837715627)
    p = tl.fma(q, x, p)
    p = _step(p, x, 0.03860783245076619)
    return _step(p, x, 1.0)


@triton.jit
def _fit_k1_far(x):
    z = x * x
    p = tl.full((), 1.0425727371237759e-10, x.dtype)
    p = _step(p, z, -7.630231571490609e-10)
    p = _step(p, z, 2.078057531638827e-09)
    p = _step(p, z, -3.591759581911121e-09)
    p = _step(p, z, 2.5771956073214513e-09)
    p = _step(p, z, -6.063603418813525e-09)
    p = _step(p, z, -1.906544437240496e-08)
    p = _step(p, z, -1.2224699142125264e-07)
    p = _step(p, z, -9.066697412306073e-07)
    p = _step(p, z, -8.961211565782479e-06)
    p = _step(p, z, -0.00013959021933150075)
    p = _step(p, z, -0.005566729880079603)
    q = tl.full((), 5.191726345874473e-11, x.dtype)
    q = _step(q, z, -1.1230209435967728e-10)
    q = _step(q, z, 3.020979862051866e-10)
    q = _step(q, z, 2.2563334454977856e-10)
    q = _step(q, z, 1.8363830673935587e-09)
    q = _step(q, z, 8.593169261360541e-09)
    q = _step(q, z, 4.839733692572607e-08)
    q = _step(q, z, 3.2299561068445236e-07)
    q = _step(q, z, 2.730039496862726e-06)
    q = _step(q, z, 3.284386570000147e-05)
    q = _step(q, z, 0.0007357241549034861)
    p = tl.fma(q, x, p)
    p = _step(p, x, 0.10334973775386527)
    return _step(p, x, 1.363151890371342)


@triton.jit
def _fit_digamma(x):
    z = x * x
    p = tl.full((), 9.386684838924506e-11, x.dtype)
    p = _step(p, z, -2.7891907065852484e-10)
    p = _step(p, z, 2.1429612217124246e-09)
    p = _step(p, z, 9.288699616284046e-09)
    p = _step(p, z, 9.649717727919761e-08)
    p = _step(p, z, 8.583187714124395e-07)
    p = _step(p, z, 7.741442682314321e-06)
    p = _step(p, z, 6.995014225048832e-05)
    p = _step(p, z, 0.0006368880363153932)
    p = _step(p, z, 0.0059367952779100334)
    p = _step(p, z, 0.06013562106020693)
    q = tl.full((), -7.098082503284338e-11, x.dtype)
    q = _step(q, z, -3.453915822112076e-10)
    q = _step(q, z, -3.562069477230045e-09)
    q = _step(q, z, -3.179968137203059e-08)
    q = _step(q, z, -2.8619560432052573e-07)
    q = _step(q, z, -2.5781469283454886e-06)
    q = _step(q, z, -2.3258228203586473e-05)
    q = _step(q, z, -0.00021074841364675977)
    q = _step(q, z, -0.0019350666646716147)
    q = _step(q, z, -0.01855061538174188)
    p = tl.fma(q, x, p)
    p = _step(p, x, -0.21181371064073024)
    return _step(p, x, 0.9510558760318328)


@triton.jit
def _fit_sin(z):
    """(sin(x)/x - 1)/z for z = x**2 and abs(x) <= pi/4."""
    p = tl.full((), 1.58954354335044e-10, z.dtype)
    p = _step(p, z, -2.5050734417375563e-08)
    p = _step(p, z, 2.7557313538633166e-06)
    p = _step(p, z, -0.0001984126982935869)
    p = _step(p, z, 0.00833333333332184)
    return _step(p, z, -0.1666666666666663)


@triton.jit
def _fit_cos(z):
    """(cos(x) - 1 + z/2)/z**2 for z = x**2 and abs(x) <= pi/4."""
    p = tl.full((), -1.1359933885010829e-11, z.dtype)
    p = _step(p, z, 2.087572927604574e-09)
    p = _step(p, z, -2.755731440100553e-07)
    p = _step(p, z, 2.4801587289671496e-05)
    p = _step(p, z, -0.0013888888888874474)
    return _step(p, z, 0.0416666666666666)


@triton.jit
def _cotangent_pi(r):
    """The cotangent of pi*r for abs(r) <= 1/2, with what the product lost and what pi is off.

    libdevice would reduce the product as any number, which takes an array in memory.
    """
    # Beyond a quarter by the rest to a half, which is exact.
    q = tl.abs(r)
    is_far = q > 0.25
    q = tl.where(is_far, 0.5 - q, q)
    if r.dtype == tl.float64:
        pi = tl.full((), 3.141592653589793, tl.float64)
        rest = 1.2246467991473532e-16 * q
    else:
        pi = tl.full((), 3.1415927410125732, tl.float32)
        rest = -8.742277657347586e-08 * q
    x = q * pi
    low = tl.fma(q, pi, -x) + rest
    z = x * x
    sine = x + tl.fma(x * z, _fit_sin(z), low)
    cosine = 1 - (0.5 * z - tl.fma(z * z, _fit_cos(z), -x * low))
    y = _divide(tl.where(is_far, sine, cosine), tl.where(is_far, cosine, sine))
    return tl.where(r < 0, -y, y)


@triton.jit
def _log_half(x):
    """log(x/2), for a subnormal x too."""
    is_low = x < 1
    rest = tl.where(is_low, 0.6931471805599453, 0 * x)
    return libdevice.log(tl.where(is_low, x, 0.5 * x)) - rest


@triton.jit
def _i0(x):
    """The modified Bessel function: below 8, and beyond by sqrt(x)*exp(-x)*I0(x)."""
    a = tl.abs(x)
    b = tl.where(a < 8, a, 8.0)
    w = _divide(tl.full((), 1.0, x.dtype), tl.where(a < 8, 8.0, a))
    far = _fit_i0_far(16 * w - 1) * _root(w) * libdevice.exp(a - 8)
    y = tl.where(a < 8, _fit_i0(b * b), far)
    return tl.where(a < 800, y, a * float("inf"))


@triton.jit
def _i0e(x):
    """exp(-abs(x))*I0(x)."""
    a = tl.abs(x)
    b = tl.where(a < 8, a, 8.0)
    w = _divide(tl.full((), 1.0, x.dtype), tl.where(a < 8, 8.0, a))
    far = _fit_i0_far(16 * w - 1) * _root(w) * 0.00033546262790251185
    y = tl.where(a < 8, _fit_i0(b * b) * libdevice.exp(-b), far)
    return tl.where(_is_number(x), y, x)


@triton.jit
def _i1(x):
    """The modified Bessel function: below 8, and beyond by sqrt(x)*exp(-x)*I1(x)."""
    a = tl.abs(x)
    b = tl.where(a < 8, a, 8.0)
    w = _divide(tl.full((), 1.0, x.dtype), tl.where(a < 8, 8.0, a))
    far = _fit_i1_far(16 * w - 1) * _root(w) * libdevice.exp(a - 8)
    y = tl.where(a < 8, b * _fit_i1(b * b), far)
    return libdevice.copysign(tl.where(a < 800, y, a * float("inf")), x)


@triton.jit
def _i1e(x):
    """exp(-abs(x))*I1(x)."""
    a = tl.abs(x)
    b = tl.where(a < 8, a, 8.0)
    w = _divide(tl.full((), 1.0, x.dtype), tl.where(a < 8, 8.0, a))
    far = _fit_i1_far(16 * w - 1) * _root(w) * 0.00033546262790251185
    y = tl.where(a < 8, b * _fit_i1(b * b) * libdevice.exp(-b), far)
    return libdevice.copysign(tl.where(_is_number(x), y, x), x)


@triton.jit
def _near_k0(x):
    """K0(x) for x <= 2."""
    b = tl.where(x < 2, x, 2.0)
    return _fit_k0(b * b) - _log_half(b) * _fit_i0(b * b)


@triton.jit
def _near_k1(x):
    """K1(x) for x <= 2."""
    b = tl.where(x < 2, x, 2.0)
    return _divide(_fit_k1(b * b), b) + _log_half(b) * b * _fit_i1(b * b)


@triton.jit
def _far_k0(x):
    """exp(x)*K0(x) for x >= 2."""
    w = _divide(tl.full((), 1.0, x.dtype), tl.where(x < 2, 2.0, x))
    return _fit_k0_far(4 * w - 1) * _root(w)


@triton.jit
def _far_k1(x):
    """exp(x)*K1(x) for x >= 2."""
    w = _divide(tl.full((), 1.0, x.dtype), tl.where(x < 2, 2.0, x))
    return _fit_k1_far(4 * w - 1) * _root(w)


@triton.jit
def _positive(x, y):
    """What is y for positive x, infinite at 0, and NaN below."""
    y = tl.where(x > 0, y, float("nan"))
    return tl.where(x == 0, float("inf"), y)


@triton.jit
def _modified_bessel_k0(x):
    return _positive(x, tl.where(x <= 2, _near_k0(x), _far_k0(x) * libdevice.exp(-x)))


@triton.jit
def _scaled_modified_bessel_k0(x):
    return _positive(x, tl.where(x <= 2, _near_k0(x) * libdevice.exp(x), _far_k0(x)))


@triton.jit
def _modified_bessel_k1(x):
    return _positive(x, tl.where(x <= 2, _near_k1(x), _far_k1(x) * libdevice.exp(-x)))


@triton.jit
def _scaled_modified_bessel_k1(x):
    return _positive(x, tl.where(x <= 2, _near_k1(x) * libdevice.exp(x), _far_k1(x)))


@triton.jit
def _positive_digamma(x):
    """digamma(x), x >= 0: below 4 by its zero and the recurrence, beyond by a series."""
    one = tl.full((), 1.0, x.dtype)
    t = tl.where(x < 1, x + 1, tl.where(x < 2, x, tl.where(x < 3, x - 1, x - 2)))
    t = tl.where(t < 2, t, 2.0)
    inverse = _divide(one, tl.where(x < 1, x, t))
    step = tl.where(x < 1, -inverse, tl.where(x < 2, 0.0, inverse))
    step += tl.where(x < 3, 0.0, _divide(one, t + 1))
    if x.dtype == tl.float64:
        offset = (t - 1.4616321449683622) - 9.549995429965697e-17
    else:
        offset = (t - 1.4616321325302124) - 1.2438149938918909e-08
    near = offset * _fit_digamma(2 * t - 3) + step
    is_shifted = x < 10
    c = tl.where(is_shifted, x, 10.0)
    lost = _divide(2 * c + 1, c * (c + 1)) + _divide(2 * c + 5, (c + 2) * (c + 3))
    last = _divide(2 * c + 13, (c + 6) * (c + 7))
    lost += _divide(2 * c + 9, (c + 4) * (c + 5)) + last
    y = tl.where(is_shifted, x + 8, x)
    w = _divide(one, y)
    z = w * w
    p = tl.full((), -0.44325980392156863, x.dtype)
    p = _step(p, z, 0.08333333333333333)
    p = _step(p, z, -0.021092796092796094)
    p = _step(p, z, 0.007575757575757576)
    p = _step(p, z, -0.004166666666666667)
    p = _step(p, z, 0.003968253968253968)
    p = _step(p, z, -0.008333333333333333)
    p = _step(p, z, 0.08333333333333333)
    far = libdevice.log(y) - (tl.fma(p, z, 0.5 * w) + tl.where(is_shifted, lost, 0.0))
    return tl.where(x < 4, near, far)


@triton.jit
def _digamma(x):
    """The derivative of lgamma: below 0 by digamma(1 - x) - pi/tan(pi*x)."""
    y = _positive_digamma(tl.where(x < 0, 1 - x, x))
    r = tl.where(tl.abs(x) < 4503599627370496.0, x, 0.0)
    r = r - libdevice.nearbyint(r)
    reflected = y - 3.141592653589793 * _cotangent_pi(r)
    y = tl.where(x < 0, reflected, y)
    y = tl.where((x < 0) & (r == 0), float("nan"), y)
    return tl.where(x == 0, -libdevice.copysign(float("inf") + 0 * x, x), y)
