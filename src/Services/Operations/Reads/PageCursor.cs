using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Sagas.Services.Operations.Reads;

/// <summary>A page of a list.</summary>
/// <typeparam name="T">What it lists.</typeparam>
/// <param name="Items">The page.</param>
/// <param name="Next">The cursor of the next page; null: this is the last.</param>
public sealed record ResultPage<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>The place in a list that is sorted by time and id: the last row of a page.</summary>
/// <param name="Time">Its time.</param>
/// <param name="Id">Its id.</param>
internal readonly record struct PageCursor(DateTimeOffset Time, Guid Id)
{
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Time.UtcTicks} {Id:N}")));

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <returns>Null: the text is no cursor.</returns>
    public static PageCursor? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text) || !Base64Url.IsValid(text))
            return null;
        var parts = Encoding.ASCII.GetString(Base64Url.DecodeFromChars(text)).Split(' ');
        return
            parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            && ticks <= DateTimeOffset.MaxValue.UtcTicks
            && Guid.TryParseExact(parts[1], "N", out var id)
            ? new(new DateTimeOffset(ticks, TimeSpan.Zero), id)
            : null;
    }

    /// <summary>Makes a page of rows of which one more was read than is shown.</summary>
    public static ResultPage<T> Page<T>(IReadOnlyList<T> rows, int size, Func<T, PageCursor> cursor) =>
        rows.Count <= size ? new(rows, null) : new([.. rows.Take(size)], cursor(rows[size - 1]).ToString());
}
