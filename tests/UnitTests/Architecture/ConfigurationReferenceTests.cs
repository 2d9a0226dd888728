namespace Sagas.UnitTests.Architecture;

/// <summary>The configuration reference is what the code reads.</summary>
public sealed class ConfigurationReferenceTests
{
    private const string Begin = "<!-- Generated from the options classes; do not edit by hand. -->\n";
    private const string End = "<!-- End of what is generated. -->";
    private const string Renew = "SAGAS_RENEW_DOCS=1 ./test.sh --filter 'FullyQualifiedName~ConfigurationReference'";

    [Fact]
    public void The_document_lists_what_the_options_classes_have()
    {
        var path = Path.Combine(Repository.Root, "docs", "configuration.md");
        var document = File.ReadAllText(path);
        var begin = document.IndexOf(Begin, StringComparison.Ordinal);
        var end = document.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= 0 && end > begin, $"{path} has no '{Begin.Trim()}' followed by '{End}'.");

        var renewed = $"{document[..(begin + Begin.Length)]}\n{ConfigurationReference.Write()}\n{document[end..]}";

        if (Environment.GetEnvironmentVariable("SAGAS_RENEW_DOCS") == "1")
            File.WriteAllText(path, renewed);
        else
            Assert.True(document == renewed, $"docs/configuration.md differs from the options classes. Renew it: {Renew}");
    }
}
