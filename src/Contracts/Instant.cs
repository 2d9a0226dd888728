using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sagas.Contracts;

/// <summary>
/// A moment in UTC, to the nanosecond, which <see cref="DateTimeOffset"/> cannot hold. It is written as RFC 3339 with as many
/// decimals as it was read with; these do not count when two are compared. A <see cref="DateTimeOffset"/> converts to it
/// implicitly.
/// </summary>
[JsonConverter(typeof(InstantJsonConverter))]
public readonly struct Instant : IEquatable<Instant>, IComparable<Instant>, ISpanParsable<Instant>
{
    /// <summary>The most decimals of a second: nanoseconds.</summary>
    public const int MaximumDecimals = 9;

    private const int NanosecondsPerSecond = 1_000_000_000;

    private Instant(long unixSeconds, int nanosecond, int decimals)
    {
        UnixSeconds = unixSeconds;
        Nanosecond = nanosecond;
        Decimals = decimals;
    }

    /// <summary>Whole seconds since 1970-01-01T00:00:00Z, without leap seconds.</summary>
    public long UnixSeconds { get; }

    /// <summary>Nanoseconds beyond <see cref="UnixSeconds"/>, 0 to 999,999,999.</summary>
    public int Nanosecond { get; }

    /// <summary>How many decimals of the second are written, 0 to 9.</summary>
    public int Decimals { get; }

    /// <summary>Creates an instant.</summary>
    /// <param name="unixSeconds">Seconds since 1970-01-01T00:00:00Z, between the years 1 and 9999.</param>
    /// <param name="nanosecond">Nanoseconds beyond these.</param>
    /// <param name="decimals">How many decimals are written; what is beyond them is cut off.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static Instant FromUnixTime(long unixSeconds, int nanosecond = 0, int decimals = MaximumDecimals)
    {
        _ = DateTimeOffset.FromUnixTimeSeconds(unixSeconds);
        ArgumentOutOfRangeException.ThrowIfNegative(nanosecond);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(nanosecond, NanosecondsPerSecond);
        ArgumentOutOfRangeException.ThrowIfNegative(decimals);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(decimals, MaximumDecimals);
        return new Instant(unixSeconds, nanosecond - (nanosecond % PowerOfTen(MaximumDecimals - decimals)), decimals);
    }

    /// <summary>The instant of a time, written with no more decimals than it needs.</summary>
    /// <param name="time">Any offset.</param>
    public static Instant FromDateTimeOffset(DateTimeOffset time)
    {
        var seconds = time.ToUnixTimeSeconds();
        var nanosecond = (int)((time.UtcTicks - DateTimeOffset.FromUnixTimeSeconds(seconds).Ticks) * TimeSpan.NanosecondsPerTick);
        var decimals = nanosecond == 0 ? 0 : MaximumDecimals;
        for (var rest = nanosecond; decimals > 0 && rest % 10 == 0; rest /= 10)
            decimals--;
        return new Instant(seconds, nanosecond, decimals);
    }

    /// <inheritdoc cref="FromDateTimeOffset" />
    public static implicit operator Instant(DateTimeOffset time) => FromDateTimeOffset(time);

    /// <summary>The time without what is below its 100 nanoseconds.</summary>
    public DateTimeOffset ToDateTimeOffset() =>
        DateTimeOffset.FromUnixTimeSeconds(UnixSeconds).AddTicks(Nanosecond / TimeSpan.NanosecondsPerTick);

    /// <summary>Reads an ISO 8601 time such as <c>2021-06-07T20:40:15.598765212Z</c>; UTC when it has no offset.</summary>
    /// <param name="s">The text.</param>
    /// <param name="provider">Ignored.</param>
    /// <exception cref="FormatException">It is none.</exception>
    public static Instant Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var instant) ? instant : throw new FormatException("The text is not an ISO 8601 time.");

    /// <inheritdoc cref="Parse(ReadOnlySpan{char}, IFormatProvider?)" />
    public static Instant Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out Instant)" />
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Instant result) =>
        TryParse(s.AsSpan(), provider, out result);

    /// <summary>
    /// Reads an ISO 8601 time: date, <c>T</c> or a space, time of day to the minute, second or a fraction of it, and an offset
    /// (<c>Z</c>, <c>UTC</c>, <c>+02:00</c>, <c>+0200</c>, <c>+02</c>) or none (UTC). A date alone is the beginning of its day
    /// in UTC; its parts may be separated by slashes. Decimals beyond nanoseconds are cut off; a leap second
    /// (<c>23:59:60Z</c>) is the second after it, as in Unix time.
    /// </summary>
    /// <param name="s">The text.</param>
    /// <param name="provider">Ignored.</param>
    /// <param name="result">The instant.</param>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out Instant result) =>
        InstantText.TryParse(s, out result);

    /// <inheritdoc />
    public override string ToString() => InstantText.Format(this);

    /// <inheritdoc />
    public int CompareTo(Instant other) =>
        UnixSeconds != other.UnixSeconds ? UnixSeconds.CompareTo(other.UnixSeconds) : Nanosecond.CompareTo(other.Nanosecond);

    /// <inheritdoc />
    public bool Equals(Instant other) => CompareTo(other) == 0;

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is Instant other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(UnixSeconds, Nanosecond);

    /// <summary>Whether both are the same moment.</summary>
    public static bool operator ==(Instant left, Instant right) => left.Equals(right);

    /// <summary>Whether they are different moments.</summary>
    public static bool operator !=(Instant left, Instant right) => !left.Equals(right);

    /// <summary>Whether the left one is earlier.</summary>
    public static bool operator <(Instant left, Instant right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left one is later.</summary>
    public static bool operator >(Instant left, Instant right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left one is not later.</summary>
    public static bool operator <=(Instant left, Instant right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left one is not earlier.</summary>
    public static bool operator >=(Instant left, Instant right) => left.CompareTo(right) >= 0;

    internal static int PowerOfTen(int exponent)
    {
        var power = 1;
        while (exponent-- > 0)
            power *= 10;
        return power;
    }
}

/// <summary>An instant as text.</summary>
internal static class InstantText
{
    private const int SecondsPerMinute = 60;

    public static string Format(Instant instant)
    {
        var whole = DateTimeOffset
            .FromUnixTimeSeconds(instant.UnixSeconds)
            .ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
        return instant.Decimals == 0
            ? whole + "Z"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{whole}.{instant.Nanosecond.ToString("D9", CultureInfo.InvariantCulture)[..instant.Decimals]}Z"
            );
    }

    public static bool TryParse(ReadOnlySpan<char> text, out Instant instant)
    {
        instant = default;
        var rest = text.Trim();
        if (!Date(ref rest, out var date))
            return false;
        var (minutes, second, nanosecond, decimals, offset) = (0, 0, 0, 0, 0);
        // A date alone is the beginning of the day in UTC.
        if (
            !rest.IsEmpty
            && (
                !Time(ref rest, out minutes, out second, out nanosecond, out decimals) || !Offset(rest.TrimStart(' '), out offset)
            )
        )
            return false;
        var start = new DateTimeOffset(date, TimeSpan.Zero).ToUnixTimeSeconds() + ((minutes - offset) * SecondsPerMinute);
        // A leap second is the last of a day in UTC.
        if (second == SecondsPerMinute && (start + SecondsPerMinute) % (24 * 60 * SecondsPerMinute) != 0)
            return false;
        start += second;
        if (start < DateTimeOffset.MinValue.ToUnixTimeSeconds() || start > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            return false;
        instant = Instant.FromUnixTime(start, nanosecond, decimals);
        return true;
    }

    // The year comes first: other orders are ambiguous.
    private static bool Date(ref ReadOnlySpan<char> rest, out DateTime date)
    {
        date = default;
        if (!Number(ref rest, 4, out var year) || rest is not ['-' or '/', ..])
            return false;
        var separator = rest[0] == '-' ? "-" : "/";
        if (
            !Sign(ref rest, separator)
            || !Number(ref rest, 2, out var month)
            || !Sign(ref rest, separator)
            || !Number(ref rest, 2, out var day)
            || year < 1
            || month is < 1 or > 12
            || day < 1
            || day > DateTime.DaysInMonth(year, month)
        )
            return false;
        date = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc);
        return true;
    }

    private static bool Time(ref ReadOnlySpan<char> rest, out int minutes, out int second, out int nanosecond, out int decimals)
    {
        (minutes, second, nanosecond, decimals) = (0, 0, 0, 0);
        if (
            !Sign(ref rest, "Tt ")
            || !Number(ref rest, 2, out var hour)
            || !Sign(ref rest, ":")
            || !Number(ref rest, 2, out var minute)
            || hour > 23
            || minute > 59
        )
            return false;
        minutes = (hour * 60) + minute;
        return !Sign(ref rest, ":")
            || (
                Number(ref rest, 2, out second) && second <= SecondsPerMinute && Fraction(ref rest, out nanosecond, out decimals)
            );
    }

    private static bool Number(ref ReadOnlySpan<char> rest, int digits, out int number)
    {
        number = 0;
        if (rest.Length < digits || rest[..digits].ContainsAnyExceptInRange('0', '9'))
            return false;
        foreach (var digit in rest[..digits])
            number = (number * 10) + (digit - '0');
        rest = rest[digits..];
        return true;
    }

    private static bool Sign(ref ReadOnlySpan<char> rest, string signs)
    {
        if (rest.IsEmpty || !signs.Contains(rest[0], StringComparison.Ordinal))
            return false;
        rest = rest[1..];
        return true;
    }

    private static bool Fraction(ref ReadOnlySpan<char> rest, out int nanosecond, out int decimals)
    {
        (nanosecond, decimals) = (0, 0);
        if (!Sign(ref rest, ".,"))
            return true;
        var length = rest.IndexOfAnyExceptInRange('0', '9');
        if (length < 0)
            length = rest.Length;
        if (length == 0)
            return false;
        decimals = Math.Min(length, Instant.MaximumDecimals);
        var digits = rest[..decimals];
        _ = Number(ref digits, decimals, out nanosecond);
        nanosecond *= Instant.PowerOfTen(Instant.MaximumDecimals - decimals);
        rest = rest[length..];
        return true;
    }

    // In minutes; up to 18 hours, more than any place on Earth has.
    private static bool Offset(ReadOnlySpan<char> rest, out int minutes)
    {
        minutes = 0;
        if (rest is "" or "Z" or "z" or "UTC")
            return true;
        var west = rest[0] == '-';
        if (!Sign(ref rest, "+-") || !Number(ref rest, 2, out var hours) || hours > 18)
            return false;
        // +02:00, +0200 and +02 are all in use.
        var beyond = 0;
        if ((Sign(ref rest, ":") || !rest.IsEmpty) && !Number(ref rest, 2, out beyond))
            return false;
        minutes = ((hours * 60) + beyond) * (west ? -1 : 1);
        return rest.IsEmpty && beyond < 60;
    }
}

/// <summary>An instant in JSON: a string.</summary>
internal sealed class InstantJsonConverter : JsonConverter<Instant>
{
    public override Instant Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Instant.TryParse(reader.GetString(), null, out var instant)
            ? instant
            : throw new JsonException("An ISO 8601 time was expected.");

    public override void Write(Utf8JsonWriter writer, Instant value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
