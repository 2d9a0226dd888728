using Sagas.Services;

namespace Sagas.UnitTests.Architecture;

/// <summary>A database that has a migration refuses to start with a changed one.</summary>
public sealed class MigrationTests
{
    private static readonly Dictionary<string, string> _checksums = new()
    {
        ["001_persistence"] = "3f7f2489ad1fd2d93b6fc28ed67b7bde83c3b01e885e4f9f0d0bf881e818606b",
        ["002_outbound_calls"] = "197cecd567938b38aa42a3fc6d9a00400378f5e763b9aee7db2c2331bb4a63e4",
        ["003_payments"] = "d2e80b6acb95945648c002ee37912128bf7f164dca497205bb60ac2186399556",
        ["004_customers"] = "cf1c113d8a02ecaad05b8a9ac4383240334a18d85b7bb6d0ffbf3dfb92d87d37",
        ["005_files"] = "babd7cdb220863bb9bd50a3d21007350f565df0864fc4bfe4b6edd46112629d5",
        ["007_object_status"] = "36ffe951dccbbca0c7d91fc7d683a9eb39fcdcc66b64cf4f4a4f1da22cfcffd7",
        ["008_alarms"] = "e2466b247e46b5dd168113d2b417c64aeafa236ddda3a7c7ce65459c6fc63464",
        ["009_alerts"] = "e36631e1203226304511e78a4dbfeac2a4869fd27e7e0df105277e2f3d99bb58",
        ["012_retries"] = "f84c2be96a33ede1ac63a0832308c4ea054a70b666ea86b023173e74de9700a5",
        ["013_alert_file_rows"] = "b7630ec211226837f3f0a88a5ad3839151591f1d6ffb5c29659a9f729b60945d",
        ["014_customers_of_files"] = "6a2eaa2b7aea32083b852e515d429f005816f864ae3e29c0701af2b2790062ef",
        ["015_operations"] = "6f9246a0b4317d32dab9058f81fcb48c4f3d700b69e618384454ab114f175730",
    };

    [Fact]
    public void A_migration_never_changes()
    {
        var changed = Features
            .Product.Migrations.Where(migration =>
                _checksums.TryGetValue(migration.Version, out var checksum) && checksum != migration.Checksum
            )
            .Select(migration => $"{migration.Version}.sql changed; add a new migration instead.");

        Assert.Empty(changed);
    }

    [Fact]
    public void Every_migration_is_in_the_list()
    {
        var missing = Features
            .Product.Migrations.Where(migration => !_checksums.ContainsKey(migration.Version))
            .Select(migration => $"Add [\"{migration.Version}\"] = \"{migration.Checksum}\".");
        var removed = _checksums
            .Keys.Except(Features.Product.Migrations.Select(migration => migration.Version))
            .Select(version => $"{version}.sql was removed; databases that have it remain.");

        Assert.Empty(missing.Concat(removed));
    }
}
