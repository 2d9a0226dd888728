using System.Linq.Expressions;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Sagas.Persistence;

/// <summary>
/// Makes the table of a saga from its mapping, where that is a plain one: a row for each instance, with a column for each
/// property and nothing that the database computes. Anything else is left to EF Core.
/// </summary>
internal static class SagaTableBuilder
{
    /// <summary>The saga's table; null where only EF Core can read and write it.</summary>
    public static SagaTable<TSaga>? Build<TSaga>(IModel model)
        where TSaga : class, ISaga
    {
        if (
            model.FindEntityType(typeof(TSaga)) is not { } entity
            || !IsPlain(entity)
            || typeof(TSaga).GetConstructor([]) is not { } constructor
            || entity.ConstructorBinding is not ConstructorBinding { ParameterBindings.Count: 0 }
        )
            return null;
        var properties = entity.GetProperties().Where(property => !IsRowVersion(property)).ToArray();
        if (!Array.TrueForAll(properties, IsPlain) || entity.GetProperties().Any(IsVisibleRowVersion))
            return null;
        // The key first.
        var columns = properties
            .OrderByDescending(property => property.IsPrimaryKey())
            .Select(SagaColumnBuilder.Build<TSaga>)
            .OfType<SagaColumn<TSaga>>()
            .ToArray();
        return columns.Length == properties.Length
            ? new(entity, columns, Expression.Lambda<Func<TSaga>>(Expression.New(constructor)).Compile(), State<TSaga>(entity))
            : null;
    }

    private static Func<TSaga, string?>? State<TSaga>(IEntityType entity)
    {
        if (
            entity.Model.FindEntityType(typeof(SagaTransition)) is null
            || entity.FindProperty(SagaHistory.StateProperty) is not { } property
            || property.ClrType != typeof(string)
        )
            return null;
        var saga = Expression.Parameter(typeof(TSaga), "saga");
        var state = Expression.MakeMemberAccess(saga, property.GetMemberInfo(forMaterialization: false, forSet: false));
        return Expression.Lambda<Func<TSaga, string?>>(state, saga).Compile();
    }

    private static bool IsPlain(IEntityType entity) =>
        entity.BaseType is null
        && !entity.GetDirectlyDerivedTypes().Any()
        && !entity.GetNavigations().Any()
        && !entity.GetSkipNavigations().Any()
        && !entity.GetComplexProperties().Any()
        && entity.GetDeclaredQueryFilters() is { Count: 0 }
        && entity.GetTableMappings().Count() == 1
        && entity.GetTableMappings().Single().Table.EntityTypeMappings.Count() == 1
        && !entity.GetMappingFragments().Any()
        && entity.GetViewName() is null
        && entity.GetSqlQuery() is null
        && entity.GetFunctionName() is null
        && entity.GetInsertStoredProcedure() is null
        && entity.GetUpdateStoredProcedure() is null
        && entity.GetDeleteStoredProcedure() is null
        && entity.FindPrimaryKey() is { Properties: [{ Name: nameof(ISaga.CorrelationId) }] };

    private static bool IsPlain(IProperty property) =>
        !property.IsConcurrencyToken
        && property.GetComputedColumnSql() is null
        && property.GetBeforeSaveBehavior() == PropertySaveBehavior.Save
        && (property.IsPrimaryKey() || property.GetAfterSaveBehavior() == PropertySaveBehavior.Save)
        && (property.IsPrimaryKey() || property.ValueGenerated == ValueGenerated.Never || IsDefaultOfType(property));

    // EF Core leaves such a value to the database, which then writes the same.
    private static bool IsDefaultOfType(IProperty property) =>
        property.ValueGenerated == ValueGenerated.OnAdd
        && property.GetDefaultValueSql() is null
        && property.TryGetDefaultValue(out var value)
        && Equals(value, property.Sentinel);

    // Npgsql maps it to xmin, which every table has.
    private static bool IsRowVersion(IProperty property) =>
        property is { IsConcurrencyToken: true, ValueGenerated: ValueGenerated.OnAddOrUpdate }
        && property.ClrType == typeof(uint)
        && property.GetColumnName() == "xmin";

    // The saga would see a version that the next commit changes.
    private static bool IsVisibleRowVersion(IProperty property) => IsRowVersion(property) && !property.IsShadowProperty();
}
