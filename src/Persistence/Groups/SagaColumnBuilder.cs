using System.Data.Common;
using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.Persistence;

/// <summary>Makes the columns of a saga's table from its mapping, where that is a plain one.</summary>
internal static class SagaColumnBuilder
{
    // Those that an array of Postgres holds as they are. An array of arrays would be flattened.
    private static readonly HashSet<Type> _storedTypes =
    [
        typeof(bool),
        typeof(short),
        typeof(int),
        typeof(long),
        typeof(float),
        typeof(double),
        typeof(decimal),
        typeof(string),
        typeof(Guid),
        typeof(DateTime),
        typeof(DateTimeOffset),
        typeof(DateOnly),
        typeof(TimeOnly),
        typeof(TimeSpan),
    ];

    private static readonly MethodInfo _build = typeof(SagaColumnBuilder).GetMethod(
        nameof(BuildTyped),
        BindingFlags.NonPublic | BindingFlags.Static
    )!;

    /// <summary>The column of a property; null where only EF Core can read and write it.</summary>
    public static SagaColumn<TSaga>? Build<TSaga>(IProperty property)
    {
        var mapping = property.GetRelationalTypeMapping();
        var stored = mapping.Converter?.ProviderClrType ?? property.ClrType;
        stored = Nullable.GetUnderlyingType(stored) ?? stored;
        if (
            property.IsShadowProperty()
            || mapping.Converter is { ConvertsNulls: true }
            || !_storedTypes.Contains(stored)
            || !IsWritable(property)
            || TypeOf(mapping) is not { } type
        )
            return null;
        var element = stored.IsValueType ? typeof(Nullable<>).MakeGenericType(stored) : stored;
        return (SagaColumn<TSaga>)
            _build.MakeGenericMethod(typeof(TSaga), property.ClrType, element).Invoke(null, [property, mapping, type, stored])!;
    }

    private static bool IsWritable(IProperty property) =>
        property.GetMemberInfo(forMaterialization: true, forSet: true) switch
        {
            FieldInfo field => !field.IsInitOnly,
            PropertyInfo { SetMethod: not null } => true,
            _ => false,
        };

    private static NpgsqlDbType? TypeOf(RelationalTypeMapping mapping)
    {
        using var command = new NpgsqlCommand();
        return
            mapping.CreateParameter(command, "type", null, nullable: true) is NpgsqlParameter parameter
            && parameter.NpgsqlDbType != NpgsqlDbType.Unknown
            ? parameter.NpgsqlDbType
            : null;
    }

    private static SagaColumn<TSaga, TValue, TStored> BuildTyped<TSaga, TValue, TStored>(
        IProperty property,
        RelationalTypeMapping mapping,
        NpgsqlDbType type,
        Type stored
    )
    {
        var saga = Expression.Parameter(typeof(TSaga), "saga");
        var value = Expression.Parameter(typeof(TValue), "value");
        var get = Expression.MakeMemberAccess(saga, property.GetMemberInfo(forMaterialization: false, forSet: false));
        var set = Expression.MakeMemberAccess(saga, property.GetMemberInfo(forMaterialization: true, forSet: true));
        return new(
            OutboxTables.Quote(property.GetColumnName()),
            mapping.StoreTypeNameBase,
            type,
            new(
                Expression.Lambda<Func<TSaga, TValue>>(get, saga).Compile(),
                Expression.Lambda<Action<TSaga, TValue>>(Expression.Assign(set, value), saga, value).Compile(),
                Expression.Lambda<Func<TValue, TStored>>(ToStored<TStored>(value, mapping.Converter), value).Compile(),
                Reader<TValue>(stored, mapping.Converter)
            ),
            property.GetValueComparer()
        );
    }

    private static Expression ToStored<TStored>(ParameterExpression value, ValueConverter? converter)
    {
        var isNullable = !value.Type.IsValueType || Nullable.GetUnderlyingType(value.Type) is not null;
        Expression result = value;
        if (converter is not null)
        {
            var convert = converter.ConvertToProviderExpression;
            result = Expression.Invoke(convert, Expression.Convert(value, convert.Parameters[0].Type));
        }

        result = Expression.Convert(result, typeof(TStored));
        return converter is not null && isNullable
            ? Expression.Condition(
                Expression.Equal(value, Expression.Constant(null, value.Type)),
                Expression.Default(typeof(TStored)),
                result
            )
            : result;
    }

    private static Func<DbDataReader, int, TValue> Reader<TValue>(Type stored, ValueConverter? converter)
    {
        var reader = Expression.Parameter(typeof(DbDataReader), "reader");
        var ordinal = Expression.Parameter(typeof(int), "ordinal");
        Expression result = Expression.Call(reader, nameof(DbDataReader.GetFieldValue), [stored], ordinal);
        if (converter is not null)
        {
            var convert = converter.ConvertFromProviderExpression;
            result = Expression.Invoke(convert, Expression.Convert(result, convert.Parameters[0].Type));
        }

        var isNull = Expression.Call(reader, nameof(DbDataReader.IsDBNull), null, ordinal);
        return Expression
            .Lambda<Func<DbDataReader, int, TValue>>(
                Expression.Condition(isNull, Expression.Default(typeof(TValue)), Expression.Convert(result, typeof(TValue))),
                reader,
                ordinal
            )
            .Compile();
    }
}
