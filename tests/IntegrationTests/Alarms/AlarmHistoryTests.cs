using System.Globalization;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Npgsql;
using Sagas.Contracts;
using Sagas.Services.Alarms;
using Xunit.Abstractions;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>
/// Compares the statements on Postgres with the model: histories of changes and digests, shuffled, repeated and interrupted.
/// Many users' histories run together, their changes in one statement, as they do in the services.
/// </summary>
public sealed class AlarmHistoryTests(ServersFixture servers, ITestOutputHelper output)
    : IClassFixture<ServersFixture>,
        IAsyncLifetime
{
    // More histories than the default find rarer defects.
    private const string HistoriesVariable = "SAGAS_TEST_HISTORIES";
    private const int Histories = 2_000;
    private const int UsersPerRound = 500;
    private const int Connections = 6;

    private AlarmDatabase _database = null!;
    private int _round;

    public async Task InitializeAsync() => _database = await AlarmDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public void Every_digest_of_thousands_of_histories_is_that_of_the_model()
    {
        var histories = Environment.GetEnvironmentVariable(HistoriesVariable) is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Histories;
        Prop.ForAll(AlarmHistory.Many(UsersPerRound), round => RunAsync(round))
            .Check(
                Config
                    .QuickThrowOnFailure.WithMaxTest(Math.Max(1, histories / UsersPerRound))
                    .WithReplay((ulong)TestSeed.Take(output), 1)
            );
    }

    private async Task RunAsync(AlarmHistory[] histories)
    {
        var round = ++_round;
        var users = histories.Select((history, number) => new User($"{round}-{number}", history)).ToArray();
        for (var step = 0; users.Any(user => step < user.History.Steps.Count); step++)
        {
            var here = users
                .Where(user => step < user.History.Steps.Count)
                .Select(user => (User: user, Step: user.History.Steps[step]))
                .ToArray();
            await ChangeAsync([.. here.Where(at => !at.Step.IsDigest)]);
            await Parallel.ForEachAsync(
                here.Where(at => at.Step.IsDigest),
                new ParallelOptions { MaxDegreeOfParallelism = Connections },
                async (at, _) => await DigestAsync(at.User, at.Step)
            );
        }
    }

    private async Task ChangeAsync((User User, AlarmStep Step)[] steps)
    {
        await using var connection = await _database.Source.OpenConnectionAsync();
        var cut = steps.Where(at => at.Step.Cut).SelectMany(at => at.User.Own(at.Step)).ToArray();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await AlarmRows.WriteAsync(connection, cut, CancellationToken.None);
            await transaction.RollbackAsync();
        }

        await AlarmRows.WriteAsync(connection, [.. steps.SelectMany(at => at.User.Own(at.Step))], CancellationToken.None);
        foreach (var (user, step) in steps)
        {
            foreach (var change in step.Changes)
                user.Model.Change(change);
        }
    }

    private async Task DigestAsync(User user, AlarmStep step)
    {
        await using var connection = await _database.Source.OpenConnectionAsync();
        if (step.Cut)
            await SendDigestAsync(connection, user, commit: false);
        var sent = await SendDigestAsync(connection, user, commit: true);
        var expected = user.Model.Digest();
        // As text, since two ways to write one moment are equal otherwise.
        Assert.True(
            JsonSerializer.Serialize(expected) == JsonSerializer.Serialize(sent),
            $"{user.History}\nexpected: {JsonSerializer.Serialize(expected)}\nsent:     {JsonSerializer.Serialize(sent)}"
        );
    }

    private static async Task<ActiveAlarm[]> SendDigestAsync(NpgsqlConnection connection, User user, bool commit)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        var alarms = await AlarmDatabase.SendDigestAsync(connection, user.Id);
        await (commit ? transaction.CommitAsync() : transaction.RollbackAsync());
        return alarms;
    }

    private sealed record User(string Id, AlarmHistory History)
    {
        public AlarmModel Model { get; } = new();

        public IEnumerable<AlarmChange> Own(AlarmStep step) => step.Changes.Select(change => change with { UserId = Id });
    }
}
