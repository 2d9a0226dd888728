using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Sagas.Contracts;

namespace Sagas.Services.Messages;

/// <summary>
/// Reads a message from JSON as other producers write it: property names in any case and with underscores, numbers for
/// string identifiers, decimals as numbers or strings, unknown properties ignored. What System.Text.Json would fill with a
/// default or report by byte position is invalid here, with the name of the field.
/// </summary>
internal sealed class ContractReader
{
    private static readonly ConcurrentDictionary<Type, ContractReader> _readers = new();

    private readonly string _message;
    private readonly Field[] _fields;
    private readonly FrozenDictionary<string, int> _positions;
    private readonly ConstructorInvoker _constructor;

    private ContractReader(Type type)
    {
        // The copy constructor of a record is not public, so the longest public one is that of its parameters.
        var constructor =
            type.GetConstructors().MaxBy(candidate => candidate.GetParameters().Length)
            ?? throw new ArgumentException($"{type} has no public constructor.", nameof(type));
        var nullability = new NullabilityInfoContext();
        _message = type.Name;
        _fields = [.. constructor.GetParameters().Select(parameter => Field.Of(parameter, nullability))];
        _positions = _fields
            .Select((field, position) => (field.Name, position))
            .ToFrozenDictionary(pair => pair.Name, pair => pair.position, StringComparer.OrdinalIgnoreCase);
        _constructor = ConstructorInvoker.Create(constructor);
    }

    /// <summary>The reader of a message type.</summary>
    public static ContractReader Of(Type type) => _readers.GetOrAdd(type, static key => new ContractReader(key));

    /// <summary>Reads one message.</summary>
    /// <param name="body">The message as it came.</param>
    /// <exception cref="InvalidMessageException">A field is missing, given twice or of the wrong type.</exception>
    public object Read(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
            throw new InvalidMessageException($"{_message}: the message must be a JSON object, and is {Describe(body)}.");
        var values = new object?[_fields.Length];
        var seen = new bool[_fields.Length];
        foreach (var property in body.EnumerateObject())
        {
            if (!TryFind(property.Name, out var position))
                continue;
            var field = _fields[position];
            if (seen[position])
                throw Invalid(field, "is given more than once");
            seen[position] = true;
            values[position] = property.Value.ValueKind == JsonValueKind.Null ? Absent(field) : Convert(field, property.Value);
        }
        for (var position = 0; position < seen.Length; position++)
            if (!seen[position])
                values[position] = Absent(_fields[position]);
        return _constructor.Invoke(values.AsSpan());
    }

    private bool TryFind(string name, out int position) =>
        _positions.TryGetValue(name, out position)
        || (
            name.AsSpan().ContainsAny('_', '-')
            && _positions.TryGetValue(
                name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal),
                out position
            )
        );

    private object? Absent(Field field) => field.IsRequired ? throw Invalid(field, "is missing") : field.Default;

    private object? Convert(Field field, JsonElement value)
    {
        try
        {
            return field.Kind switch
            {
                Kind.Text => AsText(value) ?? throw Wrong(field, value, "text"),
                Kind.Decimal => AsDecimal(value) ?? throw Wrong(field, value, "a decimal number of at most 28 digits"),
                Kind.Integer => AsInteger(value) ?? throw Wrong(field, value, "a whole number"),
                Kind.Time => AsInstant(value)?.ToDateTimeOffset()
                    ?? throw Wrong(field, value, "an ISO 8601 time such as 2026-01-31T12:00:00Z"),
                Kind.Instant => AsInstant(value)
                    ?? throw Wrong(field, value, "an ISO 8601 time such as 2026-01-31T12:00:00.123456789Z"),
                _ => value.Deserialize(field.Type, MassTransit.Serialization.SystemTextJsonMessageSerializer.Options),
            };
        }
        // InvalidOperationException: text with half of a surrogate pair.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            throw Wrong(field, value, field.Kind == Kind.Text ? "valid Unicode text" : $"a valid {field.Type.Name}");
        }
    }

    private static string? AsText(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            // Producers with numeric keys write "customerId": 1; a fraction or an exponent is not an identifier.
            JsonValueKind.Number when value.GetRawText() is var digits && digits.AsSpan().IndexOfAny(".eE") < 0 => digits,
            _ => null,
        };

    private static object? AsDecimal(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Number when value.TryGetDecimal(out var number) => number,
            JsonValueKind.String
                when decimal.TryParse(
                    value.GetString(),
                    NumberStyles.AllowLeadingSign
                        | NumberStyles.AllowDecimalPoint
                        | NumberStyles.AllowExponent
                        | NumberStyles.AllowLeadingWhite
                        | NumberStyles.AllowTrailingWhite,
                    CultureInfo.InvariantCulture,
                    out var number
                ) => number,
            _ => null,
        };

    private static object? AsInteger(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Number when value.TryGetInt32(out var number) => number,
            JsonValueKind.String
                when int.TryParse(value.GetString(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) =>
                number,
            _ => null,
        };

    private static Instant? AsInstant(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && Instant.TryParse(value.GetString(), null, out var instant) ? instant : null;

    private InvalidMessageException Wrong(Field field, JsonElement value, string expectation) =>
        Invalid(field, $"must be {expectation}, and is {Describe(value)}");

    private InvalidMessageException Invalid(Field field, string what) => new($"{_message}: {field.Name} {what}.");

    // Never the value itself: it may be personal, and is in the body of the dead letter anyway.
    private static string Describe(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => "a text",
            JsonValueKind.Number => "a number",
            JsonValueKind.True or JsonValueKind.False => "true or false",
            JsonValueKind.Array => "a list",
            JsonValueKind.Object => "an object",
            _ => "null",
        } + (value.ValueKind == JsonValueKind.String ? " that cannot be read as one" : "");

    private enum Kind
    {
        Text,
        Decimal,
        Integer,
        Time,
        Instant,
        Other,
    }

    private sealed record Field(string Name, Type Type, Kind Kind, bool IsRequired, object? Default)
    {
        public static Field Of(ParameterInfo parameter, NullabilityInfoContext nullability)
        {
            var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
            var kind =
                type == typeof(string) ? Kind.Text
                : type == typeof(decimal) ? Kind.Decimal
                : type == typeof(int) ? Kind.Integer
                : type == typeof(DateTimeOffset) ? Kind.Time
                : type == typeof(Instant) ? Kind.Instant
                : Kind.Other;
            var required = !parameter.HasDefaultValue && nullability.Create(parameter).WriteState != NullabilityState.Nullable;
            return new Field(parameter.Name!, type, kind, required, parameter.HasDefaultValue ? parameter.DefaultValue : null);
        }
    }
}
