using System.Text.Json;
using MassTransit.Serialization;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Converts a value to JSON text and back, with the options of MassTransit's serializer.</summary>
/// <typeparam name="T">The value's type.</typeparam>
public class JsonValueConverter<T>() : ValueConverter<T, string>(value => Json.Write(value), text => Json.Read<T>(text))
    where T : class;

/// <summary>Compares values by their JSON text: a collection that was changed in place differs from its snapshot.</summary>
/// <typeparam name="T">The value's type.</typeparam>
public class JsonValueComparer<T>()
    : ValueComparer<T>(
        (left, right) => Json.Write(left) == Json.Write(right),
        value => StringComparer.Ordinal.GetHashCode(Json.Write(value)),
        value => Json.Read<T>(Json.Write(value))
    )
    where T : class;

/// <summary>The JSON of columns.</summary>
internal static class Json
{
    // Without the line breaks of messages, which would be stored.
    private static readonly JsonSerializerOptions _options = new(SystemTextJsonMessageSerializer.Options)
    {
        WriteIndented = false,
    };

    public static string Write<T>(T? value)
        where T : class => JsonSerializer.Serialize(value, _options);

    public static T Read<T>(string text)
        where T : class => JsonSerializer.Deserialize<T>(text, _options)!;
}
