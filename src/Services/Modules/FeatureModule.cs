using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Sagas.Configuration;
using Sagas.Database;
using Sagas.Services.Messages;

namespace Sagas.Services.Modules;

/// <summary>
/// All that the rest of the system needs to know of a feature. Everything that spans features folds over the modules.
/// </summary>
public abstract class FeatureModule
{
    /// <summary>The roles of a process that run a part of the feature.</summary>
    public abstract IReadOnlyList<Role> Roles { get; }

    /// <summary>The queues that the feature consumes from; their error queues follow from them.</summary>
    public virtual IReadOnlyList<FeatureEndpoint> Endpoints => [];

    /// <summary>The configuration sections that the feature reads.</summary>
    public virtual IReadOnlyList<OptionsSection> Sections => [];

    /// <summary>The feature's messages that are not in <c>Sagas.Contracts</c>.</summary>
    public virtual IReadOnlyList<Type> Messages => [];

    /// <summary>The maps of the feature's sagas that <see cref="SagasDbContext"/> does not know by itself.</summary>
    public virtual IReadOnlyList<ISagaClassMap> SagaMaps => [];

    /// <summary>The rules for messages from outside.</summary>
    public virtual IReadOnlyList<MessageRule> MessageRules => [];

    /// <summary>Registers the services of the process's roles.</summary>
    public virtual void AddServices(IServiceCollection services, FeatureContext context) { }

    /// <summary>Registers the consumers and sagas of the process's roles.</summary>
    public virtual void AddConsumers(IBusRegistrationConfigurator bus, FeatureContext context) { }

    /// <summary>The queues that the feature publishes to and does not consume from.</summary>
    /// <param name="services">The services of all roles.</param>
    public virtual IReadOnlyList<FeatureQueue> Queues(IServiceProvider services) => [];

    /// <summary>Maps the HTTP endpoints of the process's roles.</summary>
    public virtual void MapEndpoints(WebApplication app, RoleSet roles) { }
}

/// <summary>What modules register from.</summary>
/// <param name="Roles">The process's roles.</param>
/// <param name="Configuration">The whole configuration.</param>
/// <param name="Messages">What is accepted from producers.</param>
public sealed record FeatureContext(RoleSet Roles, IConfiguration Configuration, MessagesOptions Messages);

/// <summary>A part of the work that a process can be given; a deployment splits the work by roles.</summary>
/// <param name="Name">Its name in the setting <c>Roles</c>.</param>
/// <param name="Description">What a process of this role does.</param>
public sealed record Role(string Name, string Description);

/// <summary>A queue that a feature consumes from.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="UsesOutbox">
/// Whether each message has an inbox row and a transaction. A consumer of batches does without: a batch has the id of one of
/// its messages, by which the inbox would take the others for consumed. So does one whose work done twice has the effect of
/// once and that must not hold a transaction for as long as an API takes.
/// </param>
public sealed record FeatureEndpoint(string Queue, bool UsesOutbox = true);

/// <summary>A queue for readers outside, bound to the exchange of a message.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Exchange">The message's exchange.</param>
/// <param name="Arguments">The queue's arguments.</param>
public sealed record FeatureQueue(string Name, string Exchange, IReadOnlyDictionary<string, object?> Arguments);
