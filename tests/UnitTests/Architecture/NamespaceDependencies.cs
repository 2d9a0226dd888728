using System.Text.RegularExpressions;

namespace Sagas.UnitTests.Architecture;

/// <summary>Which folders use which: by imports, by qualified names and by names of enclosing namespaces.</summary>
internal sealed partial class NamespaceDependencies
{
    private readonly List<Source> _sources = [];
    private readonly Dictionary<string, HashSet<string>> _types = [];
    private readonly Dictionary<string, HashSet<string>> _extensions = [];
    private readonly Func<string, string> _folder;
    private readonly HashSet<string> _folders;

    /// <param name="files">The sources.</param>
    /// <param name="folder">The folder that a namespace belongs to.</param>
    public NamespaceDependencies(IEnumerable<(string Path, string Text)> files, Func<string, string> folder)
    {
        _folder = folder;
        foreach (var (path, text) in files)
        {
            var code = Literal()
                .Replace(
                    Comment().Replace(text, ""),
                    match => match.Value.Contains('{', StringComparison.Ordinal) ? match.Value : "\"\""
                );
            if (Namespace().Match(code) is not { Success: true } declared)
                continue;
            var source = new Source(path, declared.Groups[1].Value, folder(declared.Groups[1].Value), code);
            _sources.Add(source);
            foreach (Match type in Type().Matches(code))
                Add(_types, type.Groups[1].Value, source.Folder);
            foreach (Match extension in Extension().Matches(code))
                Add(_extensions, extension.Groups[1].Value, source.Folder);
        }

        _folders = [.. _sources.Select(source => source.Folder)];
        Namespaces = _sources.Select(source => source.Namespace).ToHashSet();
    }

    /// <summary>Every namespace that is declared.</summary>
    public IReadOnlySet<string> Namespaces { get; }

    /// <summary>Each folder that a source uses besides its own.</summary>
    public IEnumerable<(string From, string To, string Path)> All =>
        _sources.SelectMany(source =>
            Imported(source)
                .Concat(Qualified(source))
                .Concat(Enclosing(source))
                .Distinct()
                .Where(used => used != source.Folder)
                .Select(used => (source.Folder, used, source.Path))
        );

    private IEnumerable<string> Imported(Source source) =>
        Using().Matches(source.Code).Select(import => Known(import.Groups[1].Value)).OfType<string>();

    // Payments.PaymentState within Sagas.Customers is Sagas.Payments.PaymentState.
    private IEnumerable<string> Qualified(Source source)
    {
        var parts = source.Namespace.Split('.');
        foreach (
            var name in QualifiedName()
                .Matches(Directive().Replace(source.Code, ""))
                .Select(match => match.Groups[1].Value.TrimEnd('.'))
                .Distinct()
        )
        {
            for (var count = parts.Length; count >= 0; count--)
            {
                var candidate = string.Join('.', [.. parts[..count], name]);
                if (!Namespaces.Contains(candidate))
                    continue;
                yield return _folder(candidate);
                break;
            }
        }
    }

    // Types and extension methods of an enclosing namespace need no import.
    private IEnumerable<string> Enclosing(Source source)
    {
        var code = Directive().Replace(source.Code, "");
        var names = Word().Matches(code).Select(match => match.Value).ToHashSet();
        var calls = Call().Matches(code).Select(match => match.Groups[1].Value).ToHashSet();
        var parts = source.Namespace.Split('.');
        for (var count = 1; count < parts.Length; count++)
        {
            var enclosing = string.Join('.', parts[..count]);
            var declares = _sources.Any(other => other.Namespace == enclosing);
            if (
                declares
                && _folder(enclosing) is var folder
                && folder != source.Folder
                && (
                    names.Any(name => Declares(_types, name, folder, source.Folder))
                    || calls.Any(name => Declares(_extensions, name, folder, source.Folder))
                )
            )
                yield return folder;
        }
    }

    private static bool Declares(Dictionary<string, HashSet<string>> all, string name, string folder, string own) =>
        all.TryGetValue(name, out var folders) && folders.Contains(folder) && !folders.Contains(own);

    private string? Known(string name)
    {
        for (; name.Length > 0; name = name.LastIndexOf('.') is > 0 and var end ? name[..end] : "")
        {
            if (Namespaces.Contains(name) || _folders.Contains(name))
                return _folder(name);
        }

        return null;
    }

    private static void Add(Dictionary<string, HashSet<string>> all, string name, string folder)
    {
        if (!all.TryGetValue(name, out var folders))
            all[name] = folders = [];
        folders.Add(folder);
    }

    [GeneratedRegex(@"^namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex("^(using|namespace) [^\n]*", RegexOptions.Multiline)]
    private static partial Regex Directive();

    [GeneratedRegex(@"^using\s+(?:static\s+)?(?:\w+\s*=\s*)?([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex("//[^\n]*")]
    private static partial Regex Comment();

    // Interpolated strings are kept, since they contain code.
    [GeneratedRegex("\"\"\"[\\s\\S]*?\"\"\"|\"(?:\\\\.|[^\"\\\\\n])*\"")]
    private static partial Regex Literal();

    [GeneratedRegex(
        @"^[ \t]{0,4}(?:(?:public|internal|private|protected|file|static|sealed|abstract|partial|readonly|ref)\s+)*"
            + @"(?:class|record struct|record class|record|struct|interface|enum)\s+(\w+)",
        RegexOptions.Multiline
    )]
    private static partial Regex Type();

    [GeneratedRegex(@"\b(\w+)(?:<[^<>]*>)?\(\s*this ")]
    private static partial Regex Extension();

    [GeneratedRegex(@"(?<![\w.])((?:[A-Z]\w*\.)+)[A-Z]\w*")]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"(?<![\w.])[A-Z]\w*")]
    private static partial Regex Word();

    [GeneratedRegex(@"\.([A-Z]\w*)(?:<[^<>]*>)?\(")]
    private static partial Regex Call();

    private sealed record Source(string Path, string Namespace, string Folder, string Code);
}
