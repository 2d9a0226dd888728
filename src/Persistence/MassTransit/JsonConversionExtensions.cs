using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MassTransit;

/// <summary>Keeps properties of any type as JSON text.</summary>
public static class JsonConversionExtensions
{
    /// <summary>Keeps a property as JSON text, written by MassTransit's serializer.</summary>
    /// <typeparam name="T">The property's type.</typeparam>
    /// <param name="builder">The property.</param>
    /// <returns>The property, to configure it further, such as with <c>HasColumnType("jsonb")</c>.</returns>
    public static PropertyBuilder<T> HasJsonConversion<T>(this PropertyBuilder<T> builder)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.HasConversion(new JsonValueConverter<T>(), new JsonValueComparer<T>());
    }
}
