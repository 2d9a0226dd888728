using System.Globalization;
using System.Text.RegularExpressions;

namespace Sagas.UnitTests.Architecture;

/// <summary>Limits the size of lines, methods and files. Exceptions are listed in sizes.txt, which may only shrink.</summary>
public sealed partial class SizeTests
{
    private const int MaxLineLength = 130;
    private const int MaxFileLines = 300;
    private const int MaxMethodLines = 50;

    private const string Renew = "SAGAS_RENEW_DOCS=1 ./test.sh --filter 'FullyQualifiedName~SizeTests'";

    private static readonly string _list = Path.Combine(Repository.Root, "tests", "UnitTests", "Architecture", "sizes.txt");

    [Fact]
    public void Only_what_is_listed_exceeds_the_limits()
    {
        var found = Repository.Files("*.cs").SelectMany(Measure).ToDictionary();
        if (Environment.GetEnvironmentVariable("SAGAS_RENEW_DOCS") == "1")
            File.WriteAllLines(
                _list,
                found.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}")
            );
        var listed = File.ReadAllLines(_list)
            .Select(line => line.Split(' '))
            .ToDictionary(line => $"{line[0]} {line[1]}", line => int.Parse(line[2], CultureInfo.InvariantCulture));

        Assert.Empty(
            found
                .Where(pair => pair.Value > listed.GetValueOrDefault(pair.Key))
                .Select(pair => $"{pair.Key}: {pair.Value}, and {listed.GetValueOrDefault(pair.Key)} is allowed")
        );
        Assert.True(listed.Keys.All(found.ContainsKey), $"sizes.txt lists more than exceeds the limits. Renew it: {Renew}");
    }

    [Theory]
    [InlineData("class X\n{\n    void A()\n    {\n        B();\n    }\n}", 3)]
    [InlineData("class X\n{\n    void A() =>\n        B();\n}", 0)]
    [InlineData("class X\n{\n    A a = new()\n    {\n        B = 1,\n    };\n    void C()\n    {\n    }\n}", 2)]
    public void A_method_is_measured_from_brace_to_brace(string source, int lines) =>
        Assert.Equal(lines, LongestMethod(source.Split('\n')));

    // The number of lines that are too long, and the length of a file or its longest method where it exceeds the limit.
    private static IEnumerable<KeyValuePair<string, int>> Measure(string file)
    {
        var path = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/');
        var lines = File.ReadAllLines(file);
        if (lines.Count(line => line.Length > MaxLineLength) is > 0 and var longLines)
            yield return new($"{path} long-lines", longLines);
        if (lines.Length > MaxFileLines)
            yield return new($"{path} file-lines", lines.Length);
        if (LongestMethod(lines) is > MaxMethodLines and var longest)
            yield return new($"{path} method-lines", longest);
    }

    private static int LongestMethod(string[] lines)
    {
        var longest = 0;
        for (var start = 1; start < lines.Length; start++)
        {
            if (!Brace().IsMatch(lines[start]) || !Signature().IsMatch(lines[start - 1]))
                continue;
            // An initializer looks like a method up to its end, which is "};".
            var brace = lines[start].Replace('{', '}');
            var end = Array.FindIndex(lines, start, line => line.StartsWith(brace, StringComparison.Ordinal));
            if (lines[end] == brace)
                longest = Math.Max(longest, end - start + 1);
        }

        return longest;
    }

    [GeneratedRegex("^ {4,8}{$")]
    private static partial Regex Brace();

    // Matches the last line of a method's head, not of a type's or a property's.
    [GeneratedRegex(@"\)$|where \w+ : [\w?, ()]+$")]
    private static partial Regex Signature();
}
