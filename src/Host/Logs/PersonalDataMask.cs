using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.RegularExpressions;
using Serilog.Core;
using Serilog.Events;

namespace Sagas.Host.Logs;

/// <summary>
/// Keeps names, e-mail addresses, telephone numbers and the texts of alerts out of the logs, however an object that has them
/// is logged: taken apart (<c>{@Message}</c>) or as its text (<c>{Message}</c>, which for a record prints every property).
/// </summary>
internal sealed partial class PersonalDataMask : IDestructuringPolicy, ILogEventEnricher
{
    private const string Mask = "***";

    private static readonly HashSet<string> _personal =
    [
        "FirstName",
        "LastName",
        "Name",
        "Email",
        "Phone",
        "Message",
        "AlertMessage",
    ];
    private static readonly ConcurrentDictionary<Type, PropertyInfo[]> _properties = new();

    public bool TryDestructure(
        object value,
        ILogEventPropertyValueFactory propertyValueFactory,
        [NotNullWhen(true)] out LogEventPropertyValue? result
    )
    {
        result = null;
        var type = value.GetType();
        if (type.Namespace?.StartsWith("Sagas", StringComparison.Ordinal) != true || type.IsEnum || value is Exception)
            return false;
        var properties = _properties.GetOrAdd(
            type,
            static key =>
                [
                    .. key.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                        .Where(property => property.CanRead && property.GetIndexParameters().Length == 0),
                ]
        );
        if (!properties.Any(property => _personal.Contains(property.Name)))
            return false;
        result = new StructureValue(
            properties.Select(property => new LogEventProperty(
                property.Name,
                _personal.Contains(property.Name)
                    ? new ScalarValue(property.GetValue(value) is null ? null : Mask)
                    : propertyValueFactory.CreatePropertyValue(property.GetValue(value), destructureObjects: true)
            )),
            type.Name
        );
        return true;
    }

    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        List<LogEventProperty>? masked = null;
        foreach (var (name, value) in logEvent.Properties)
            if (Rewrite(value) is { } rewritten)
                (masked ??= []).Add(new LogEventProperty(name, rewritten));
        masked?.ForEach(logEvent.AddOrUpdateProperty);
    }

    private static LogEventPropertyValue? Rewrite(LogEventPropertyValue value) =>
        value switch
        {
            ScalarValue { Value: string text } when Hide(text) is { } hidden => new ScalarValue(hidden),
            ScalarValue { Value: not null and not string and not ValueType } scalar
                when scalar.Value.ToString() is { } text && Hide(text) is { } hidden => new ScalarValue(hidden),
            SequenceValue sequence when sequence.Elements.Any(element => Rewrite(element) is not null) => new SequenceValue(
                sequence.Elements.Select(element => Rewrite(element) ?? element)
            ),
            _ => null,
        };

    /// <summary>The text with personal data masked; null when there are none.</summary>
    internal static string? Hide(string text) =>
        text.Contains(" = ", StringComparison.Ordinal) && RecordText().IsMatch(text)
            ? RecordText().Replace(text, $"$1$2 = {Mask}")
            : null;

    // A value may itself contain commas; it ends where the record's next property or its brace is. The text of an alert, which
    // may contain anything, is the last property of its record.
    [GeneratedRegex(
        @"\b(FirstName|LastName|Email|Phone) = .*?(?=, [A-Z]\w* = | \}|$)|\b(Message|AlertMessage) = .*(?= \}|$)",
        RegexOptions.Singleline
    )]
    private static partial Regex RecordText();
}
