using System.Text.RegularExpressions;

namespace Sagas.UnitTests.Architecture;

/// <summary>Limits the size of lines, methods and files.</summary>
public sealed partial class SizeTests
{
    private const int MaxLineLength = 130;
    private const int MaxFileLines = 300;
    private const int MaxMethodLines = 50;

    [Fact]
    public void Lines_methods_and_files_are_within_the_limits() => Assert.Empty(Repository.Files("*.cs").SelectMany(Exceeded));

    [Theory]
    [InlineData("class X\n{\n    void A()\n    {\n        B();\n    }\n}", 3)]
    [InlineData("class X\n{\n    void A() =>\n        B();\n}", 0)]
    [InlineData("class X\n{\n    A a = new()\n    {\n        B = 1,\n    };\n    void C()\n    {\n    }\n}", 2)]
    public void A_method_is_measured_from_brace_to_brace(string source, int lines) =>
        Assert.Equal(lines, LongestMethod(source.Split('\n')));

    private static IEnumerable<string> Exceeded(string file)
    {
        var path = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/');
        var lines = File.ReadAllLines(file);
        if (Array.FindIndex(lines, line => line.Length > MaxLineLength) is >= 0 and var index)
            yield return $"{path}:{index + 1} has {lines[index].Length} characters; the limit is {MaxLineLength}.";
        if (lines.Length is 0)
            yield return $"{path} is empty.";
        if (lines.Length > MaxFileLines)
            yield return $"{path} has {lines.Length} lines; the limit is {MaxFileLines}.";
        if (LongestMethod(lines) is > MaxMethodLines and var longest)
            yield return $"{path} has a method of {longest} lines; the limit is {MaxMethodLines}.";
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
