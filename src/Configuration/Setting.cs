using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Sagas.Configuration;

/// <summary>A setting: a writable property of an options class, or of one nested in it.</summary>
/// <param name="Key">Its key, such as <c>Payments:Calls:CallTimeout</c>.</param>
/// <param name="Property">The property.</param>
/// <param name="Default">The property's value while nothing is configured.</param>
public sealed record Setting(string Key, PropertyInfo Property, object? Default)
{
    /// <summary>The type of the value, or of each value of a list.</summary>
    public Type ValueType => Underlying(IsList ? Property.PropertyType.GetGenericArguments()[0] : Property.PropertyType);

    /// <summary>Whether there are several values, as <c>Key:0</c>, <c>Key:1</c> and so on.</summary>
    public bool IsList =>
        Property.PropertyType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>);

    /// <summary>Whether there are several values with names of their own, as <c>Key:name</c>.</summary>
    public bool IsDictionary =>
        Property.PropertyType is { IsGenericType: true } type
        && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>);

    /// <summary>The lowest and the highest value, as the property's <see cref="RangeAttribute"/> says; null: any value.</summary>
    public (IComparable Min, IComparable Max)? Range =>
        Property.GetCustomAttribute<RangeAttribute>() is { } range ? (Limit(range.Minimum), Limit(range.Maximum)) : null;

    /// <summary>The settings of a section.</summary>
    public static IEnumerable<Setting> Of(OptionsSection section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return section
            .Types.SelectMany(type => Of(section.Name, type, Activator.CreateInstance(type)!))
            .DistinctBy(setting => setting.Key, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Whether a property of this type is a section of its own.</summary>
    internal static bool IsSection(Type type) =>
        type.IsClass && type.Assembly.GetName().Name!.StartsWith("Sagas", StringComparison.Ordinal);

    /// <summary>The writable properties of an options class.</summary>
    internal static IEnumerable<PropertyInfo> PropertiesOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

    /// <summary>What is wrong with a configured value; null: nothing.</summary>
    /// <param name="key">The value's key: the setting's, or that of an entry of its list.</param>
    /// <param name="text">The value as it is configured. It is quoted only when it is of a type that no secret has.</param>
    internal string? Problem(string key, string text)
    {
        var type = ValueType;
        if (type == typeof(string) || IsDictionary || TryConvert(type, text, out var value) && IsInRange(value))
            return null;
        var variable = key.Replace(":", "__", StringComparison.Ordinal);
        return $"{key} is '{text}': use {Allowed()} (as an environment variable: {variable}).";
    }

    /// <summary>A value as it is written in configuration.</summary>
    public static string Format(object value) =>
        value switch
        {
            TimeSpan duration => Duration.Format(duration),
            bool flag => flag ? "true" : "false",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };

    private static IEnumerable<Setting> Of(string path, Type type, object defaults)
    {
        foreach (var property in PropertiesOf(type))
        {
            var key = path.Length == 0 ? property.Name : $"{path}:{property.Name}";
            var value = property.GetValue(defaults);
            if (!IsSection(property.PropertyType))
                yield return new Setting(key, property, value);
            else
            {
                foreach (var nested in Of(key, property.PropertyType, value ?? Activator.CreateInstance(property.PropertyType)!))
                    yield return nested;
            }
        }
    }

    private static Type Underlying(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    // As .NET's binder converts it, except durations: to .NET, 24:00:00 and 24 are 24 days.
    private static bool TryConvert(Type type, string text, out object? value)
    {
        if (type == typeof(TimeSpan))
        {
            var isDuration = Duration.TryParse(text, out var duration);
            value = duration;
            return isDuration;
        }

        try
        {
            value = TypeDescriptor.GetConverter(type).ConvertFromInvariantString(text);
            return value is not null && (!type.IsEnum || Enum.IsDefined(type, value));
        }
        // Converters wrap what their parser throws in exceptions of several types.
        catch (Exception exception)
            when (exception is ArgumentException or FormatException or NotSupportedException or OverflowException)
        {
            value = null;
            return false;
        }
    }

    private bool IsInRange(object? value) =>
        Range is not var (min, max) || value is null || (min.CompareTo(value) <= 0 && max.CompareTo(value) >= 0);

    private IComparable Limit(object limit) =>
        (IComparable)(
            limit is string text
                ? TypeDescriptor.GetConverter(ValueType).ConvertFromInvariantString(text)!
                : Convert.ChangeType(limit, ValueType, CultureInfo.InvariantCulture)
        );

    private string Allowed()
    {
        var type = ValueType;
        var range = Range is var (min, max) ? $" from {Format(min)} to {Format(max)}" : "";
        var example = Default is not null && !IsList ? Format(Default) : null;
        if (type.IsEnum)
            return $"one of {string.Join(", ", Enum.GetNames(type))}";
        if (type == typeof(TimeSpan))
            return $"a duration{range}, written {Duration.Forms}, such as {example ?? "30s"}";
        if (type == typeof(bool))
            return "true or false";
        if (type == typeof(double))
            return $"a number with a point{range}, such as {example ?? "0.5"}";
        if (type == typeof(char))
            return "a single character";
        return type == typeof(int) || type == typeof(long)
            ? $"a whole number{range}, such as {example ?? "10"}"
            : $"a valid {type.Name}";
    }
}
