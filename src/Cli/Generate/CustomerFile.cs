using System.Globalization;
using System.Text;

namespace Sagas.Cli.Generate;

/// <summary>Writes files of generated customers, of any size; the same seed gives the same file.</summary>
/// <param name="seed">The seed.</param>
/// <param name="dirty">The share of invalid rows, 0 to 1.</param>
internal sealed class CustomerFile(int seed, double dirty)
{
    private const string Header = "id,first_name,last_name,email,phone\n";

    private static readonly string[] _firstNames =
    [
        "Ada",
        "Grace",
        "Barbara",
        "Edsger",
        "Donald",
        "Katherine",
        "Alan",
        "Hedy",
        "Zoë",
        "Jürgen",
        "Radia",
        "Tim",
        "Leslie",
        "Frances",
        "Tony",
        "Margaret",
        "Søren",
        "Anita",
        "John",
        "Karen",
        "Noël",
        "Dana",
        "Ken",
        "Sophie",
        "Évariste",
        "Maryam",
    ];

    private static readonly string[] _lastNames =
    [
        "Lovelace",
        "Hopper",
        "Liskov",
        "Dijkstra",
        "Knuth",
        "Johnson",
        "Turing",
        "Lamarr",
        "Müller",
        "O'Brien",
        "Perlman",
        "Berners-Lee",
        "Lamport",
        "Allen",
        "Hoare",
        "Hamilton",
        "Kierkegaard",
        "Borg",
        "\"Backus, Jr.\"",
        "Spärck Jones",
        "Scott",
        "Thompson",
        "Wilson",
        "Galois",
        "Mirzakhani",
    ];

    private readonly Random _random = new(seed);

    /// <summary>Writes a file.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="rows">How many rows after the header.</param>
    /// <param name="cancellationToken">Stops between rows.</param>
    /// <param name="progress">Called from time to time with the number of rows written so far.</param>
    public void Write(Stream target, long rows, CancellationToken cancellationToken, Action<long>? progress = null)
    {
        using var writer = new StreamWriter(target, new UTF8Encoding(false), 1 << 16, leaveOpen: true);
        writer.Write(Header);
        for (var row = 1L; row <= rows; row++)
        {
            if (row % 10_000 == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress?.Invoke(row);
            }

            if (dirty > 0 && _random.NextDouble() < dirty)
                WriteDirty(writer, row);
            else
                WriteRow(writer, row, Pick(_firstNames), Pick(_lastNames), "");
        }
    }

    private void WriteRow(StreamWriter writer, long row, string firstName, string lastName, string addition)
    {
        Span<char> number = stackalloc char[20];
        row.TryFormat(number, out var length, provider: CultureInfo.InvariantCulture);
        writer.Write(number[..length]);
        writer.Write(',');
        writer.Write(firstName);
        writer.Write(',');
        writer.Write(lastName);
        writer.Write(",customer");
        writer.Write(number[..length]);
        writer.Write("@example.org,");
        WriteDigits(writer, 3);
        writer.Write(' ');
        WriteDigits(writer, 3);
        writer.Write(' ');
        WriteDigits(writer, 4);
        writer.Write(addition);
        writer.Write('\n');
    }

    // One of each mistake that files have; each is one rejected row and affects no other.
    private void WriteDirty(StreamWriter writer, long row)
    {
        switch (_random.Next(6))
        {
            case 0:
                writer.Write(",Nobody,Nameless,nobody@example.org,000 000 0000\n");
                break;
            case 1:
                writer.Write(
                    string.Create(CultureInfo.InvariantCulture, $"{row},Ada,Lovelace,ada at example.org,000 000 0000\n")
                );
                break;
            case 2:
                WriteRow(writer, row, Pick(_firstNames), Pick(_lastNames), ",one field,too many");
                break;
            case 3:
                writer.Write(string.Create(CultureInfo.InvariantCulture, $"{row},\"Ada,Lovelace,ada@example.org,000 000 0000\n"));
                // The next row must be read although its first quote would close this one's.
                break;
            case 4:
                WriteRow(writer, row, new string('x', 600), Pick(_lastNames), "");
                break;
            default:
                writer.Write(string.Create(CultureInfo.InvariantCulture, $"{row},cut off\n"));
                break;
        }
    }

    private string Pick(string[] names) => names[_random.Next(names.Length)];

    private void WriteDigits(StreamWriter writer, int count)
    {
        for (; count > 0; count--)
            writer.Write((char)('0' + _random.Next(10)));
    }
}
