using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Sagas.Persistence;

/// <summary>Adds the history of sagas to a model, and names its columns.</summary>
public static class SagaModelExtensions
{
    /// <summary>Adds <c>saga_transition</c>, the history of the sagas.</summary>
    /// <param name="modelBuilder">The model that is being built.</param>
    public static void AddSagaTransitionEntity(this ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var transition = modelBuilder.Entity<SagaTransition>();
        transition.ToTable("saga_transition");
        transition.HasKey(row => new { row.CorrelationId, row.Id }).HasName("saga_transition_pkey");
        transition.Property(row => row.Id).UseIdentityAlwaysColumn();
        transition.Property(row => row.OccurredAt).HasDefaultValueSql("clock_timestamp()");
        transition.UseSnakeCaseColumns();
    }

    /// <summary>
    /// Names every column of the model in snake case, so that SQL need not quote them. For a program's own tables: those of inbox
    /// and outbox are named so in any case.
    /// </summary>
    /// <param name="modelBuilder">The model, after everything else was added to it.</param>
    public static void UseSnakeCaseColumns(this ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
            UseSnakeCaseColumns(entity);
    }

    /// <summary>Adds the row version that Postgres keeps for every row, where it is needed.</summary>
    internal static void UseRowVersion(this EntityTypeBuilder entity, bool optimistic)
    {
        if (optimistic)
            entity.Property<uint>("xmin").IsRowVersion();
    }

    internal static void UseSnakeCaseColumns(this EntityTypeBuilder entity) => UseSnakeCaseColumns(entity.Metadata);

    private static void UseSnakeCaseColumns(IMutableEntityType entity)
    {
        foreach (var property in entity.GetProperties().Where(property => !IsSystemColumn(property)))
            property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
    }

    // Npgsql maps such a row version to xmin, a column that every table has.
    private static bool IsSystemColumn(IMutableProperty property) =>
        property.IsConcurrencyToken
        && property.ValueGenerated == ValueGenerated.OnAddOrUpdate
        && property.ClrType == typeof(uint);
}
